import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** The console, and the packages of the workspace that are built into it. */
const CONSOLE = join(import.meta.dirname, "../../console");
const SOURCES = [
  join(CONSOLE, "src"),
  join(CONSOLE, "index.html"),
  join(CONSOLE, "package.json"),
  join(CONSOLE, "vite.config.ts"),
  join(import.meta.dirname, "../../../packages/client/src"),
  join(import.meta.dirname, "../../../packages/core/src"),
];

/**
 * The folder of the built console. It is built first, in about a second, if it never was or its sources have changed since; where the
 * sources are not, what was built counts. Servers that start at once may all build: the files that one puts in place are whole at any time.
 * @throws Error of one line if it cannot be built
 */
export async function ensureConsole(): Promise<string> {
  const built = join(CONSOLE, "dist");
  if ((await newest(SOURCES)) > (await newest([join(built, "index.html")]))) await build(built);
  return built;
}

async function build(built: string): Promise<void> {
  const modules = join(CONSOLE, "node_modules");
  const vite = join(modules, "vite/bin/vite.js");
  if (!existsSync(vite)) {
    throw new Error("the console is not built, and there is no vite to build it: pnpm install");
  }
  const made = await mkdtemp(join(modules, ".console-"));
  try {
    const words = ["build", "--outDir", made, "--emptyOutDir", "--logLevel", "error"];
    await promisify(execFile)(process.execPath, [vite, ...words], { cwd: CONSOLE });
    await mkdir(join(built, "assets"), { recursive: true });
    // A file's name tells what is in it, so each may be put over what is there; and the page comes last, behind all that it loads.
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

/** When the newest of these files, or of those below these folders, was changed, in milliseconds since 1970; 0 if there is none. */
async function newest(paths: readonly string[]): Promise<number> {
  const times = await Promise.all(paths.map(changedAt));
  return Math.max(0, ...times);
}

async function changedAt(path: string): Promise<number> {
  if (!existsSync(path)) return 0;
  const found = await stat(path);
  if (!found.isDirectory()) return found.mtimeMs;
  // A file that went changes its folder.
  const below = await newest((await readdir(path)).map((name) => join(path, name)));
  return Math.max(found.mtimeMs, below);
}
