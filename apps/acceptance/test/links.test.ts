import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { anchorsOf } from "../src/page-anchors.ts";
import { linksOf, type PageLink } from "../src/page-links.ts";
import { publisherOf, readPacked, readPages, ROOT } from "../src/read-pages.ts";

async function readLinks(page: string): Promise<readonly PageLink[]> {
  return linksOf(await readFile(join(ROOT, page), "utf8"));
}

/** The path from the root to which a link leads. */
function pathOf(page: string, { path }: PageLink): string {
  return path === "" ? page : join(dirname(page), path);
}

/** The file of a link. As on GitHub, a folder shows its README. @throws Error if there is no such file */
async function fileOf(page: string, link: PageLink): Promise<string> {
  const path = pathOf(page, link);
  const isFolder = (await stat(join(ROOT, path))).isDirectory();
  return isFolder && link.fragment !== "" ? join(path, "README.md") : path;
}

it("every link leads to an existing file, and to an anchor that the file has", async () => {
  const broken: string[] = [];
  let files = 0;
  let fragments = 0;
  for (const page of await readPages()) {
    for (const link of await readLinks(page)) {
      const shown = `${page}: ${link.path}${link.fragment && `#${link.fragment}`}`;
      files += 1;
      const file = await fileOf(page, link).catch(() => null);
      if (file === null) broken.push(`${shown}: no such file`);
      if (file === null || link.fragment === "") continue;
      fragments += 1;
      const anchors = anchorsOf(await readFile(join(ROOT, file), "utf8"));
      if (!anchors.has(link.fragment)) broken.push(`${shown}: no such anchor`);
    }
  }
  expect(files).toBeGreaterThan(200);
  expect(fragments).toBeGreaterThan(150);
  expect(broken).toEqual([]);
});

it("every link of a page that is published leads to a file of the same package that is published too", async () => {
  const packed = await readPacked();
  const broken: string[] = [];
  let count = 0;
  for (const page of await readPages()) {
    const folder = publisherOf(page, packed);
    if (folder === null) continue;
    for (const link of await readLinks(page)) {
      if (link.path === "") continue;
      count += 1;
      if (publisherOf(pathOf(page, link), packed) !== folder) broken.push(`${page}: ${link.path}`);
    }
  }
  expect(packed.size).toBe(11);
  expect(count).toBeGreaterThan(30);
  expect(broken).toEqual([]);
});

it("every page of `docs` is reached from the README, link by link", async () => {
  const reached = new Set(["README.md"]);
  // Iterating a set also visits the values added during the loop.
  for (const page of reached) {
    for (const link of await readLinks(page)) {
      const path = pathOf(page, link);
      if (path.startsWith("docs/") && path.endsWith(".md")) reached.add(path);
    }
  }
  const pages = (await readPages()).filter((path) => path.startsWith("docs/"));
  expect(pages.filter((path) => !reached.has(path))).toEqual([]);
});
