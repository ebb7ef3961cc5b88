import { rm } from "node:fs/promises";
import { createEditedFolder, type Edit } from "./edited-folder.ts";
import { type RecipeProcess, startRecipeProcess } from "./recipe-process.ts";

/** An edit that makes the heartbeats of a recipe faster. */
export const HASTY: Edit = [
  "authenticate, allowedOrigins",
  "authenticate, allowedOrigins, heartbeatMs: 200",
];

/** Starts a recipe of one file, as it is or with some lines changed. @param env its environment, such as a database */
export async function startRecipe(
  file: string,
  edits: readonly Edit[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RecipeProcess> {
  const folder = await createEditedFolder(file, edits);
  try {
    return await startRecipeProcess(["-C", "@tm/source", file], folder, env);
  } finally {
    // All of it has been loaded by the time that it listens.
    await rm(folder, { recursive: true });
  }
}
