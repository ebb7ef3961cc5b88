import { onTestFinished } from "vitest";
import { type Client, createClient } from "./client.ts";
import type { RecipeProcess } from "./recipe-process.ts";
import type { Edit } from "./edited-folder.ts";
import { startRecipe } from "./start-recipe.ts";

/** A client of a recipe that differs in some lines, for one test. */
export async function startEdited(
  file: string,
  edits: readonly Edit[],
): Promise<Client & RecipeProcess> {
  const recipe = await startRecipe(file, edits);
  onTestFinished(async () => void (await recipe.end("SIGKILL")));
  return { ...createClient(() => recipe.url), ...recipe };
}
