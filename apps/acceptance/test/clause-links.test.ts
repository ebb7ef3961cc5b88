import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { bareCodesOf, misledCodesOf, pageOf } from "../src/clause-codes.ts";
import { CLAUSE_PAGES, CLAUSES } from "../src/clause-table.ts";
import { anchorsOf } from "../src/page-anchors.ts";
import { publisherOf, readPacked, readPages, ROOT } from "../src/read-pages.ts";

const readPage = (path: string): Promise<string> => readFile(join(ROOT, path), "utf8");

it.each(Object.entries(CLAUSE_PAGES))("each clause of %s has its anchor", async (letter, page) => {
  const anchors = [...anchorsOf(await readPage(page.path))].filter((id) => /^[sw]\d+$/.test(id));
  const clauses = CLAUSES.filter((clause) => clause.startsWith(letter));
  expect(anchors.toSorted()).toEqual(clauses.map((clause) => clause.toLowerCase()).toSorted());
  for (const clause of clauses) {
    expect(await readPage(page.path)).toContain(
      `<a id="${clause.toLowerCase()}"></a>**${clause}** `,
    );
  }
});

it("the code of a clause is a link to it, or the page names the file and the package that have it", async () => {
  const packed = await readPacked();
  const bare: string[] = [];
  for (const path of await readPages()) {
    const text = await readPage(path);
    const publisher = publisherOf(path, packed);
    bare.push(...misledCodesOf(text, path).map((link) => `${path}: ${link}`));
    for (const code of bareCodesOf(text)) {
      const page = pageOf(code);
      const mayLink = publisher === null || publisher === dirname(page.path);
      const name = `\`${page.name}\` of \`${page.package}\``;
      const isNamed = text.replaceAll(/\s+/g, " ").includes(name);
      if (mayLink || !isNamed) bare.push(`${path}: ${code}`);
    }
  }
  expect(bare).toEqual([]);
});
