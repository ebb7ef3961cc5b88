import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { MODEL } from "./snippet-model.ts";
import { readPage, readSnippets } from "./snippets.ts";

/** The programs of a page, by their names. */
function snippetsOf(page: string): readonly (readonly [name: string, code: string])[] {
  return readSnippets(page).map(([file, code]) => [file.replace(/\.mjs$/, ""), code]);
}

/** The output that the code's comments name. */
function printedBy(code: string): string {
  return [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, line = ""]) => `${line}\n`).join("");
}

/** Runs the last of the programs, the others next to it. @returns what it prints */
async function run(files: readonly (readonly [name: string, code: string])[]): Promise<string> {
  // Next to this file, so that the packages resolve as they do for a user.
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, code] of files) await writeFile(join(folder, `${name}.mjs`), code);
  const main = join(folder, `${files.at(-1)?.[0]}.mjs`);
  const args = ["-C", "@tm/source", main];
  return (await promisify(execFile)(process.execPath, args)).stdout;
}

const README = readPage("README.md");
const AI_SDK = readPage("AI-SDK.md");
const doors = snippetsOf("README.md");
const chat = snippetsOf("AI-SDK.md");
const thread = snippetsOf("AG-UI.md");

it.each(doors)(
  "the snippet %s prints what it says, and then its process ends",
  async (name, code) => {
    expect(await run([[name, code]])).toBe(printedBy(code));
  },
);

it("README.md has a program for each import without its own page, and 130 lines at most", () => {
  expect(doors.map(([name]) => name)).toEqual(["ai-resumable", "ai-assistant-ui", "ai-tanstack"]);
  expect(README.trimEnd().split("\n").length).toBeLessThanOrEqual(130);
});

it("the server and the page of the AI SDK print what they say, and then their process ends", async () => {
  expect(await run([["model", MODEL], ...chat])).toBe(
    printedBy(chat.map(([, code]) => code).join("")),
  );
});

it("the page of the AI SDK has a server of 20 lines at most, and 150 lines at most", () => {
  expect(chat.map(([name]) => name)).toEqual(["chat", "page"]);
  expect(chat[0]?.[1].trimEnd().split("\n").length).toBeLessThanOrEqual(20);
  expect(AI_SDK.trimEnd().split("\n").length).toBeLessThanOrEqual(150);
});

it("AI-SDK-PAGE.md has a server of 20 lines at most, a page of 10 lines at most, and 150 lines at most", () => {
  // The programs run in `ai-sdk/show`.
  const linesOf = (code: string): number => code.split("\n").filter((line) => line !== "").length;
  const [page, server] = readSnippets("AI-SDK-PAGE.md");
  expect([page?.[0], server?.[0]]).toEqual(["chat.jsx", "server.mjs"]);
  expect(linesOf(page?.[1] ?? "")).toBeLessThanOrEqual(10);
  expect(linesOf(server?.[1] ?? "")).toBeLessThanOrEqual(20);
  expect(readPage("AI-SDK-PAGE.md").trimEnd().split("\n").length).toBeLessThanOrEqual(150);
});

it("the server and the page of an agent of AG-UI print what they say, and then their process ends", async () => {
  expect(thread.map(([name]) => name)).toEqual(["server", "agent", "page"]);
  expect(await run(thread)).toBe(printedBy(thread.at(-1)?.[1] ?? ""));
});
