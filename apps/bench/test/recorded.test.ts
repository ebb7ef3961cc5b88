import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { formatPages, readResults } from "../src/results.ts";

const FOLDER = join(import.meta.dirname, "../results");

it("the pages of the results show what was measured, and nothing else", async () => {
  const pages = formatPages(await readResults(FOLDER));
  for (const [name, text] of pages) {
    expect(await readFile(join(FOLDER, name), "utf8"), name).toBe(text);
  }
});
