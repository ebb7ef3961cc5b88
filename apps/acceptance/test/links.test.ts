import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { anchorsOf } from "../src/page-anchors.ts";
import { linksOf, type PageLink } from "../src/page-links.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** Files that npm always packs, without a word in `files`. */
const ALWAYS_PACKED = ["README.md", "LICENSE", "package.json"];

/** The tracked pages, but for notes on changes: those speak of their own time. */
async function readPages(): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("git", ["ls-files", "*.md"], { cwd: ROOT });
  return stdout.split("\n").filter((path) => path !== "" && !path.startsWith(".changeset/"));
}

async function readLinks(page: string): Promise<readonly PageLink[]> {
  return linksOf(await readFile(join(ROOT, page), "utf8"));
}

/** The file that a link leads to, from the root. As on GitHub, a folder shows its README. @throws Error if there is no such file */
async function targetOf(page: string, { path, fragment }: PageLink): Promise<string> {
  if (path === "") return page;
  const target = join(dirname(page), path);
  const isFolder = (await stat(join(ROOT, target))).isDirectory();
  return isFolder && fragment !== "" ? join(target, "README.md") : target;
}

/** The folders of the packages that are published, each with what its tarball holds. */
async function readPacked(): Promise<ReadonlyMap<string, readonly string[]>> {
  const { stdout } = await promisify(execFile)("git", ["ls-files", "*/package.json"], {
    cwd: ROOT,
  });
  const packed = new Map<string, readonly string[]>();
  for (const path of stdout.trim().split("\n")) {
    const { private: isPrivate, files } = JSON.parse(await readFile(join(ROOT, path), "utf8")) as {
      readonly private?: boolean;
      readonly files?: readonly string[];
    };
    if (isPrivate === true || files === undefined) continue;
    packed.set(dirname(path), [...files, ...ALWAYS_PACKED]);
  }
  return packed;
}

it("every link leads to an existing file, and to an anchor that the file has", async () => {
  const broken: string[] = [];
  let files = 0;
  let fragments = 0;
  for (const page of await readPages()) {
    for (const link of await readLinks(page)) {
      const shown = `${page}: ${link.path}${link.fragment && `#${link.fragment}`}`;
      files += 1;
      const target = await targetOf(page, link).catch(() => null);
      if (target === null) broken.push(`${shown}: no such file`);
      if (target === null || link.fragment === "") continue;
      fragments += 1;
      const anchors = anchorsOf(await readFile(join(ROOT, target), "utf8"));
      if (!anchors.has(link.fragment)) broken.push(`${shown}: no such anchor`);
    }
  }
  expect(files).toBeGreaterThan(200);
  expect(fragments).toBeGreaterThan(60);
  expect(broken).toEqual([]);
});

it("every link of a page that is published leads to a file of the same package that is published too", async () => {
  const packed = await readPacked();
  const pages = await readPages();
  const broken: string[] = [];
  let count = 0;
  for (const [folder, files] of packed) {
    const holds = (path: string): boolean =>
      files.some((file) => path === file || path.startsWith(`${file}/`));
    for (const page of pages.filter((path) => path.startsWith(`${folder}/`))) {
      if (!holds(relative(folder, page))) continue;
      for (const link of await readLinks(page)) {
        if (link.path === "") continue;
        count += 1;
        if (!holds(relative(folder, join(dirname(page), link.path))))
          broken.push(`${page}: ${link.path}`);
      }
    }
  }
  expect(packed.size).toBe(9);
  expect(count).toBeGreaterThan(30);
  expect(broken).toEqual([]);
});

it("every page of `docs` is reached from the README, link by link", async () => {
  const reached = new Set(["README.md"]);
  // A set gives what is added to it meanwhile as well.
  for (const page of reached) {
    for (const link of await readLinks(page)) {
      const path = link.path === "" ? page : join(dirname(page), link.path);
      if (path.startsWith("docs/") && path.endsWith(".md")) reached.add(path);
    }
  }
  const pages = (await readPages()).filter((path) => path.startsWith("docs/"));
  expect(pages.filter((path) => !reached.has(path))).toEqual([]);
});

it("the README has 130 lines at most, and a page of `docs` 150", async () => {
  const long: string[] = [];
  for (const page of await readPages()) {
    const most = page === "README.md" ? 130 : page.startsWith("docs/") ? 150 : Infinity;
    const { length } = (await readFile(join(ROOT, page), "utf8")).trimEnd().split("\n");
    if (length > most) long.push(`${page}: ${length}`);
  }
  expect(long).toEqual([]);
});
