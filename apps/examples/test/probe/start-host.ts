import { join } from "node:path";
import { type RecipeProcess, startRecipeProcess } from "../recipe-process.ts";

const SOURCE = join(import.meta.dirname, "../../src/hosts");
/** The programs themselves: a signal to a script that starts one would not reach it. */
const MODULES = join(import.meta.dirname, "../../node_modules");

/** Starts a recipe of `src/hosts` on Node. */
export async function startOnNode(file: string): Promise<RecipeProcess> {
  // AdonisJS writes files for its developers otherwise.
  const env = { NODE_ENV: "production" };
  return startRecipeProcess(["-C", "@tm/source", file], SOURCE, env);
}

/** Starts one on Bun. */
export async function startOnBun(file: string): Promise<RecipeProcess> {
  const words = ["--conditions=@tm/source", file];
  return startRecipeProcess(words, SOURCE, {}, join(MODULES, "bun/bin/bun.exe"));
}

/** Starts one on Deno. */
export async function startOnDeno(file: string): Promise<RecipeProcess> {
  const words = ["run", "--allow-all", "--conditions=@tm/source", file];
  return startRecipeProcess(words, SOURCE, {}, join(MODULES, "deno/deno"));
}
