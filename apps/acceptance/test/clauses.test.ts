import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CLAUSE_PAGES, CLAUSES, coverage, encodeTable } from "../src/clause-table.ts";
import { anchorsOf } from "../src/page-anchors.ts";
import { ROOT } from "../src/read-pages.ts";

const table = coverage(ROOT);

it("every clause has a test that names it", () => {
  const bare = [...table].filter(([, files]) => files.size === 0).map(([clause]) => clause);
  expect(bare).toEqual([]);
});

it("the page of clauses shows what the tests name", () => {
  const page = readFileSync(join(import.meta.dirname, "../CLAUSES.md"), "utf8");
  expect(page, "Write CLAUSES.md again: pnpm fix").toBe(encodeTable(table));
});

it.each(Object.entries(CLAUSE_PAGES))("each clause of %s has its anchor", (letter, { path }) => {
  const page = readFileSync(join(ROOT, path), "utf8");
  const anchors = [...anchorsOf(page)].filter((id) => /^[sw]\d+$/.test(id));
  const clauses = CLAUSES.filter((clause) => clause.startsWith(letter));
  expect(anchors.toSorted()).toEqual(clauses.map((clause) => clause.toLowerCase()).toSorted());
});
