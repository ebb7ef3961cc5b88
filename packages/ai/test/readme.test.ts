import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const BLOCK = /<!-- snippet: (?<name>\S+)\.mjs -->\n\n```js\n(?<code>.*?)^```$/gms;

/** What the code says that it prints. */
function printedBy(code: string): string {
  return [...code.matchAll(/ \/\/ prints: (.*)$/gm)].map(([, line = ""]) => `${line}\n`).join("");
}

const snippets = [...README.matchAll(BLOCK)].map(
  ({ groups: { name = "", code = "" } = {} }) => [name, code] as const,
);

it.each(snippets)(
  "the snippet %s prints what it says, and then its process ends",
  async (name, code) => {
    // Next to this file, so that the packages resolve as they do for a user.
    const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, `${name}.mjs`), code);
    const { stdout } = await promisify(execFile)(process.execPath, [
      "-C",
      "@tm/source",
      join(folder, `${name}.mjs`),
    ]);
    expect(stdout).toBe(printedBy(code));
  },
);

it("the page has a program for each door, and 130 lines at most", () => {
  expect(snippets.map(([name]) => name)).toEqual([
    "ai-resumable",
    "ai-assistant-ui",
    "ai-tanstack",
  ]);
  expect(README.trimEnd().split("\n").length).toBeLessThanOrEqual(130);
});
