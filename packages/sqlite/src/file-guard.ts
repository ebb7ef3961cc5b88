import { RunEventsError } from "@tm/run-events-core";

/** What distinguishes a file from another one under the same name. */
interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
}

/** What is needed of node:fs. */
interface FileSystem {
  statSync(path: string, options: { readonly throwIfNoEntry: false }): FileIdentity | undefined;
}

/** The files that SQLite opens beside the database in WAL mode. */
const BESIDE = ["-wal", "-shm"] as const;

/**
 * For how long a call trusts the last check, in milliseconds. A check takes 15 to 25 µs, a third of a commit that is not synced.
 * Appends acknowledged in this time are lost, like those acknowledged just before the file was removed.
 */
const FRESH_MS = 10;

/**
 * Remembers the files that the handle opened. SQLite itself keeps using a file that was removed or replaced: appends would be
 * acknowledged, and lost when the process ends. The handle keeps its files open, so no other file gets their inode numbers.
 * @see S6, S31
 */
export interface FileGuard {
  /** Remembers the `-wal` and `-shm` after the handle's first read in WAL mode: from then on they exist until it closes. */
  noteLog(): void;
  /**
   * Passes while the files are the opened ones, or were some milliseconds ago. A file that cannot be checked counts as present.
   * @param isWal asks the handle whether it is still in WAL mode; in other modes the `-wal` and `-shm` may disappear
   * @throws RunEventsError `store_unavailable`, not retryable
   */
  check(isWal: () => boolean): void;
  /** The size of the `-wal` file in bytes; `null` if there is none or it cannot be read. */
  walBytes(): number | null;
}

/**
 * Guards the database at this path, as SQLite itself names it: absolute, with symbolic links resolved.
 * @param path `null` for a database that is in no file
 * @param fs `null` where the runtime has no node:fs: then nothing is guarded
 */
export function createFileGuard(
  path: string | null,
  fs: FileSystem | null = fileSystemOfRuntime(),
): FileGuard {
  const known = new Map<string, FileIdentity>();
  let checkedAt = -Infinity;

  function look(name: string): FileIdentity | null | "unknown" {
    try {
      return fs?.statSync(name, { throwIfNoEntry: false }) ?? (fs === null ? "unknown" : null);
    } catch {
      return "unknown";
    }
  }

  function note(name: string): void {
    const seen = look(name);
    if (seen !== null && seen !== "unknown") known.set(name, seen);
  }

  function isSame(name: string): boolean {
    const before = known.get(name);
    if (before === undefined) return true;
    const now = look(name);
    return now === "unknown" || (now?.ino === before.ino && now.dev === before.dev);
  }

  function check(isWal: () => boolean): void {
    if (path === null || performance.now() - checkedAt < FRESH_MS) return;
    if (!isSame(path)) throw fileGone("The database file");
    for (const suffix of BESIDE) {
      if (isSame(path + suffix)) continue;
      if (!isWal()) known.delete(path + suffix);
      else throw fileGone(`The database's \`${suffix}\` file`);
    }
    checkedAt = performance.now();
  }

  // A database in a virtual file system of SQLite has a name but no file: then there is nothing to guard.
  if (path !== null) note(path);
  return {
    noteLog() {
      if (path !== null) for (const suffix of BESIDE) note(path + suffix);
    },
    check,
    walBytes() {
      const log = path === null ? null : look(`${path}-wal`);
      return log === null || log === "unknown" ? null : log.size;
    },
  };
}

function fileGone(subject: string): RunEventsError {
  return new RunEventsError(
    "store_unavailable",
    `${subject} was removed or replaced while it was open. Stop every program that uses the database, put the right file back, and start again.`,
    { retryable: false },
  );
}

/** node:fs, if the runtime has it; asked for so that this package also loads where it is missing. */
function fileSystemOfRuntime(): FileSystem | null {
  const { process } = globalThis as {
    readonly process?: { getBuiltinModule?(name: string): unknown };
  };
  const fs = process?.getBuiltinModule?.("node:fs") as FileSystem | undefined;
  return fs ?? null;
}
