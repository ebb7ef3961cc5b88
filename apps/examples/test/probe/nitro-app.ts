import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { createEditedFolder, type Edit } from "../edited-folder.ts";
import { type RecipeProcess, startRecipeProcess } from "../recipe-process.ts";

const NITRO = join(dirname(createRequire(import.meta.url).resolve("nitro/package.json")));

/** The packages' TypeScript sources in place of what npm would install. */
const ON_SOURCES: Edit = [
  'preset: "node-server"',
  'preset: "node-server", exportConditions: ["@tm/source"]',
];

/** The Nitro recipe, built. */
export interface NitroApp {
  start(): Promise<RecipeProcess>;
  remove(): Promise<void>;
}

/** Builds the recipe in a separate folder. */
export async function buildNitroApp(): Promise<NitroApp> {
  const folder = await createEditedFolder("nitro/nitro.config.mjs", [ON_SOURCES]);
  const remove = (): Promise<void> => rm(folder, { recursive: true });
  const cwd = join(folder, "nitro");
  try {
    await promisify(execFile)(process.execPath, [join(NITRO, "dist/cli/index.mjs"), "build"], {
      cwd,
    });
  } catch (error) {
    await remove();
    throw error;
  }
  return { start: () => startRecipeProcess([".output/server/index.mjs"], cwd), remove };
}
