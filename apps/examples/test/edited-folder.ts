import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

const SOURCE = join(import.meta.dirname, "../src");

/** A change to a recipe: a text that it has once, and what replaces it. */
export type Edit = readonly [written: string, instead: string];

/**
 * Copies the recipes into a folder inside the workspace, so that the packages resolve as they do for a user.
 * @param file the recipe that some lines are changed in
 * @returns the folder; the caller removes it
 */
export async function createEditedFolder(file: string, edits: readonly Edit[]): Promise<string> {
  let code = await readFile(join(SOURCE, file), "utf8");
  for (const [written, instead] of edits) {
    const parts = code.split(written);
    if (parts.length !== 2) throw new TypeError(`Expected ${written} once in ${file}.`);
    code = parts.join(instead);
  }
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  await cp(SOURCE, folder, { recursive: true, filter: (path) => basename(path) !== "next" });
  await writeFile(join(folder, file), code);
  return folder;
}
