import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const WORKSPACE = join(import.meta.dirname, "../../..");

/** The sources of the console, besides installed packages. */
const SOURCES = [
  "apps/console/src",
  "apps/console/index.html",
  "apps/console/package.json",
  "apps/console/vite.config.ts",
  "packages/client/src",
  "packages/core/src",
  "pnpm-lock.yaml",
];

/**
 * Returns the folder of the built console. Builds it first, in about a second, if it was never built or its sources have changed. Without
 * the sources, an earlier build is used. Servers that start at once may all build: the folder is complete at any time.
 * @throws Error with one line if it cannot be built
 */
export async function ensureConsole(workspace: string = WORKSPACE): Promise<string> {
  const folder = join(workspace, "apps/console");
  const built = join(folder, "dist");
  const hasSources = existsSync(join(folder, "src"));
  const sources = SOURCES.map((path) => join(workspace, path));
  const builtAt = await newest([join(built, "index.html")]);
  if (builtAt === 0 || (hasSources && (await newest(sources)) > builtAt))
    await build(folder, built);
  return built;
}

async function build(folder: string, built: string): Promise<void> {
  const vite = join(folder, "node_modules/vite/bin/vite.js");
  if (!existsSync(vite)) {
    throw new Error(
      "the console is not built, and vite is not installed: run npx -y pnpm@12 install",
    );
  }
  await mkdir(join(built, "assets"), { recursive: true });
  const made = await mkdtemp(join(built, "new-"));
  try {
    const words = ["build", "--outDir", made, "--emptyOutDir", "--logLevel", "error"];
    await promisify(execFile)(process.execPath, [vite, ...words], { cwd: folder });
    // A file's name holds a hash of its content, so it may replace an existing file. The page comes after all files that it loads.
    for (const name of await readdir(join(made, "assets"))) {
      await rename(join(made, "assets", name), join(built, "assets", name));
    }
    await rename(join(made, "index.html"), join(built, "index.html"));
  } catch (cause) {
    throw new Error(`cannot build the console: ${(cause as Error).message}`, { cause });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** The time of the last change of these files, and of all files in these folders, in milliseconds since 1970; 0 if none exists. */
async function newest(paths: readonly string[]): Promise<number> {
  return Math.max(0, ...(await Promise.all(paths.map(changedAt))));
}

async function changedAt(path: string): Promise<number> {
  if (!existsSync(path)) return 0;
  const found = await stat(path);
  if (!found.isDirectory()) return found.mtimeMs;
  const below = await newest((await readdir(path)).map((name) => join(path, name)));
  // A folder changes when a file is added or removed.
  return Math.max(found.mtimeMs, below);
}
