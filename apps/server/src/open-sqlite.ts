import { closeSync, constants, existsSync, openSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { hasCode } from "./has-code.ts";
import { makeFolder } from "./make-folder.ts";
import type { Log } from "./log.ts";
import type { OpenedStore } from "./opened-store.ts";
import { reasonOf } from "./reason-of.ts";

/** A database handle that this module opened, and closes. */
type Handle = Parameters<typeof createSqliteStore>[0] & { close(): unknown };

/**
 * Opens a store on a SQLite file and brings its schema up to date. The driver is better-sqlite3 where it is installed, else Node's own.
 * The file and its folder are created, for their owner only. Existing ones keep their modes.
 * @param log gets Node's warning that its own driver is experimental
 * @throws the error of the file system or the driver, or RunEventsError `store_unavailable` with it as the cause
 */
export async function openSqlite(path: string, log: Log): Promise<OpenedStore> {
  const open = (await findBetterSqlite()) ?? findNodeSqlite(log);
  // Node's own driver takes a relative `file:x` for a URI; better-sqlite3 takes it for a name.
  const file = resolve(path);
  prepareFile(file);
  const db = open(file);
  try {
    const store = createSqliteStore(db);
    await store.migrate();
    return {
      store,
      walBytes: () => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? null,
      release: async () => void db.close(),
    };
  } catch (error) {
    db.close();
    throw explain(error, file);
  }
}

/** SQLite's own message says neither which file it means nor what to do. */
function explain(error: unknown, file: string): unknown {
  const reason = reasonOf(error);
  if (reason !== "unable to open database file") return error;
  return new Error(
    `expected ${file}, and in its folder the -wal and -shm that SQLite makes next to it, to be writable, got "${reason}"; make the disk and the folder writable, or set STORE_URL to another file`,
    { cause: error },
  );
}

/** Finds better-sqlite3; `null` where it is not installed. */
async function findBetterSqlite(): Promise<((path: string) => Handle) | null> {
  try {
    const { default: Database } = await import("better-sqlite3");
    return (path) => new Database(path);
  } catch (error) {
    if (hasCode(error, "ERR_MODULE_NOT_FOUND")) return null;
    throw error;
  }
}

/**
 * Finds Node's own SQLite.
 * @throws Error if this Node does not have it
 */
function findNodeSqlite(log: Log): (path: string) => Handle {
  const { emitWarning } = process;
  // Node would print the warning as text, into a log of JSON lines.
  process.emitWarning = (warning: string | Error) =>
    log("node_warning", { message: String(warning) });
  try {
    const sqlite = process.getBuiltinModule("node:sqlite") as
      | typeof import("node:sqlite")
      | undefined;
    if (sqlite !== undefined) return (path) => new sqlite.DatabaseSync(path);
  } finally {
    process.emitWarning = emitWarning;
  }
  throw new Error(
    `expected Node 22.23, 24.15 or newer, for its own SQLite, but this is Node ${process.versions.node}; use a newer one, or install better-sqlite3 next to run-events`,
  );
}

/**
 * Creates the file and its folder if they do not exist.
 * @throws Error that names the cure
 */
function prepareFile(path: string): void {
  try {
    makeFolder(dirname(path));
    makeFile(path);
  } catch (cause) {
    throw new Error(
      `expected a file in a folder that this user can write, got ${reasonOf(cause)}; let this user write to ${dirname(path)}, or set STORE_URL to another file`,
      { cause },
    );
  }
}

/** Creates the file if it does not exist. SQLite gives its `-wal` and `-shm` the mode of this file. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    // A symbolic link without its file. An existing file is not opened: closing it would release the locks that this process has on it.
    if (!existsSync(path)) closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
  }
}
