import { onTestFinished } from "vitest";
import { type Client, createClient } from "./client.ts";
import { type Edit, startRecipe } from "./start-recipe.ts";

/** A client of a recipe that differs in some lines, for one test. */
export async function startEdited(
  file: string,
  edits: readonly Edit[],
): Promise<Client & { readonly url: string }> {
  const { url, end } = await startRecipe(file, edits);
  onTestFinished(async () => void (await end("SIGKILL")));
  return { ...createClient(() => url), url };
}
