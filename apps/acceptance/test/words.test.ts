import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { findBannedWords } from "../src/banned-words.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** Pages that commands write, and what was measured. */
const GENERATED = /(^|\/)CHANGELOG\.md$|^apps\/bench\/(results|profiles)\//;

/** Words that a file may have. Only for a name of a foreign API, or a word that is quoted. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "apps/acceptance/src/banned-words.ts": ["*"],
  "apps/acceptance/test/words.test.ts": ["*"],
};

async function readWritten(): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("git", ["ls-files", "*.ts", "*.tsx", "*.md"], {
    cwd: ROOT,
  });
  return stdout
    .trim()
    .split("\n")
    .filter((path) => !GENERATED.test(path));
}

it("no file has a banned word: docs/glossary.md has the words to use", async () => {
  const found: string[] = [];
  for (const path of await readWritten()) {
    const allowed = ALLOWED[path] ?? [];
    for (const { line, word, instead } of findBannedWords(
      await readFile(join(ROOT, path), "utf8"),
    )) {
      if (allowed.includes("*") || allowed.includes(word)) continue;
      found.push(`${path}:${line}: "${word}", write: ${instead}`);
    }
  }
  expect(found.join("\n")).toBe("");
});

it("every exception is of a file that exists", async () => {
  const paths = await readWritten();
  expect(Object.keys(ALLOWED).filter((path) => !paths.includes(path))).toEqual([]);
});

it.each([
  ["in prose, in any case", "a\nNobody rings.", ["2 nobody", "2 rings"]],
  ["in a name", "const isTold = untold(tells);", ["1 told", "1 tells"]],
  ["over the end of a line", "text\nis\nnone", ["2 is none"]],
  [
    "over the lines of a comment",
    "/**\n * what stands\n * behind it, and this is\n */",
    ["2 stands behind"],
  ],
  ["not in a longer word", "besides, a string and its bellows, retold", []],
])("a banned word is found %s", (_where, text, expected) => {
  expect(findBannedWords(text).map(({ line, word }) => `${line} ${word}`)).toEqual(expected);
});
