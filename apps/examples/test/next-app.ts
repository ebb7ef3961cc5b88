import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { type RecipeProcess, startRecipeProcess } from "./recipe-process.ts";

const run = promisify(execFile);
const PACKAGES = join(import.meta.dirname, "../../../packages");
const NEXT = createRequire(import.meta.url).resolve("next/dist/bin/next");

/** The handler once more, at paths that the recipe's `proxy.js` does not leave out. */
const BEHIND_PROXY = `import { openRunEvents } from "../../../lib/run-events.js";

export async function POST(request) {
  const { handler } = await openRunEvents();
  return handler.fetch(new Request(request.url.replace("/behind-proxy", ""), request));
}
`;

/** The Next.js recipe, built. */
export interface NextApp {
  start(): Promise<RecipeProcess>;
  remove(): Promise<void>;
}

/**
 * Builds the recipe in a folder of its own, where our packages are as npm would put them there: compiled. Beside its paths,
 * POST is also served under `/behind-proxy`.
 */
export async function buildNextApp(): Promise<NextApp> {
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true });
  try {
    await cp(join(import.meta.dirname, "../src/next"), folder, { recursive: true });
    const behind = join(folder, "app/behind-proxy/[...path]");
    await mkdir(behind, { recursive: true });
    await writeFile(join(behind, "route.js"), BEHIND_PROXY);
    for (const name of ["core", "http", "sqlite"]) {
      const target = join(folder, "node_modules/@tm", `run-events-${name}`);
      const source = join(PACKAGES, name);
      await run("tsc", ["-p", source, "--outDir", join(target, "dist")]);
      await cp(join(source, "package.json"), join(target, "package.json"));
    }
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" } as const;
    await run(process.execPath, [NEXT, "build"], { cwd: folder, env });
  } catch (error) {
    await remove();
    throw error;
  }
  return { start: () => startRecipeProcess([NEXT, "start"], folder), remove };
}
