import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const BLOCK = /^(?:<!-- snippet: (?<name>\S+) -->\n\n)?```(?<kind>\w+)\n.*?^```$/gms;

/** The sources of the tests that read a page, all in one. */
function readTestsOf(page: string): string {
  return globSync("apps/acceptance/test/**/*.ts", { cwd: ROOT })
    .map((path) => readFileSync(join(ROOT, path), "utf8"))
    .filter((source) => source.includes(`${page}"`) || source.includes(`/${page}`))
    .join("\n");
}

it("every block of a guide has a name, and a test that reads it", () => {
  const untested: string[] = [];
  let count = 0;
  for (const path of globSync("docs/guides/*.md", { cwd: ROOT })) {
    const tests = readTestsOf(basename(path));
    const text = readFileSync(join(ROOT, path), "utf8");
    for (const { groups: { name = "no name", kind } = {} } of text.matchAll(BLOCK)) {
      count += 1;
      if (!tests.includes(`"${name}"`)) untested.push(`${path}: ${kind} ${name}`);
    }
  }
  expect(count).toBeGreaterThan(15);
  expect(untested).toEqual([]);
});
