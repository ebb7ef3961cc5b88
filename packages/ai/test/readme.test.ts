import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const BLOCK = /<!-- snippet: (?<name>\S+)\.mjs -->\n\n```js\n(?<code>.*?)^```$/gms;

function shownAfter(name: string): string {
  const block = new RegExp(`<!-- snippet: ${name}\\.txt -->\n\n\`\`\`text\n(.*?)^\`\`\`$`, "ms");
  return block.exec(README)?.[1] ?? "";
}

const snippets = [...README.matchAll(BLOCK)].map(
  ({ groups: { name = "", code = "" } = {} }) => [name, code] as const,
);

it.each(snippets)(
  "the snippet %s prints what the page shows, and then its process ends",
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
    expect(stdout).toBe(shownAfter(name));
  },
);

it("the page has a program for each door, and 130 lines at most", () => {
  expect(snippets.map(([name]) => name)).toEqual(["ai-resumable", "ai-assistant-ui"]);
  expect(README.trimEnd().split("\n").length).toBeLessThanOrEqual(130);
});
