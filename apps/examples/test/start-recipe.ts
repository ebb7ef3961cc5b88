import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type RecipeProcess, startRecipeProcess } from "./recipe-process.ts";

const SOURCE = join(import.meta.dirname, "../src");

/** A change to a recipe: what stands there once, and what takes its place. */
export type Edit = readonly [written: string, instead: string];

/** What hastens the heartbeats of a recipe. */
export const HASTY: Edit = [
  "authenticate, allowedOrigins",
  "authenticate, allowedOrigins, heartbeatMs: 200",
];

/** Starts a recipe of one file, as it is or with some lines changed. */
export async function startRecipe(
  file: string,
  edits: readonly Edit[] = [],
): Promise<RecipeProcess> {
  let code = await readFile(join(SOURCE, file), "utf8");
  for (const [written, instead] of edits) {
    const parts = code.split(written);
    if (parts.length !== 2) throw new TypeError(`Expected ${written} once in ${file}.`);
    code = parts.join(instead);
  }
  // Inside the workspace, so that the packages resolve as they do for a user.
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  try {
    await writeFile(join(folder, file), code);
    return await startRecipeProcess(["-C", "@tm/source", file], folder);
  } finally {
    // All of it has been loaded by the time that it listens.
    await rm(folder, { recursive: true });
  }
}
