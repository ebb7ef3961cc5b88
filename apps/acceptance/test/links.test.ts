import { execFile } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const FENCED = /^```[^]*?^```/gm;
const LINK = /\]\(([^)#\s]+)(?:#[^)]*)?\)/g;

/** The tracked pages, but for notes on changes: those speak of their own time. */
async function readPages(): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("git", ["ls-files", "*.md"], { cwd: ROOT });
  return stdout.split("\n").filter((path) => path !== "" && !path.startsWith(".changeset/"));
}

it("every link between the pages, and to the sources, leads to a file that is there", async () => {
  const missing: string[] = [];
  let count = 0;
  for (const page of await readPages()) {
    const text = (await readFile(join(ROOT, page), "utf8")).replaceAll(FENCED, "");
    for (const [, link = ""] of text.matchAll(LINK)) {
      if (/^[a-z]+:/.test(link)) continue;
      count += 1;
      const file = join(ROOT, dirname(page), decodeURIComponent(link));
      await access(file).catch(() => void missing.push(`${page}: ${link}`));
    }
  }
  expect(count).toBeGreaterThan(200);
  expect(missing).toEqual([]);
});
