import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { coverage, encodeTable } from "../src/clause-table.ts";

const table = coverage(join(import.meta.dirname, "../../.."));

it("every clause has a test that names it", () => {
  const bare = [...table].filter(([, files]) => files.size === 0).map(([clause]) => clause);
  expect(bare).toEqual([]);
});

it("the page of clauses shows what the tests name", () => {
  const page = readFileSync(join(import.meta.dirname, "../CLAUSES.md"), "utf8");
  expect(page, "Write CLAUSES.md again: pnpm clauses").toBe(encodeTable(table));
});
