import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

const DOCS = join(import.meta.dirname, "../../../docs");

it("docs/flow.md names files that are there", async () => {
  const text = await readFile(join(DOCS, "flow.md"), "utf8");
  const links = [...text.matchAll(/\]\((\.\.\/[^)]+)\)/g)].map(([, path = ""]) => path);
  expect(links.length).toBeGreaterThan(30);
  const missing: string[] = [];
  for (const path of new Set(links))
    await access(join(DOCS, path)).catch(() => void missing.push(path));
  expect(missing).toEqual([]);
});
