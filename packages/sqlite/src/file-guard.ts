import { RunEventsError } from "@tm/run-events-core";

/** Distinguishes a file from another one under the same name. The handle keeps its files open, so no other file gets their inodes. */
interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
}

/** The function that the guard needs of node:fs. */
interface FileSystem {
  statSync(path: string, options: { readonly throwIfNoEntry: false }): FileIdentity | undefined;
}

/** The suffixes of the files that SQLite opens next to the database in WAL mode. */
const SUFFIXES = ["-wal", "-shm"] as const;

/**
 * The time that a call trusts the last check, in milliseconds. A check costs a good part of a commit that is not synced, so not every
 * call makes one. Appends that are acknowledged in this time may be lost, like those just before the file was removed.
 */
const FRESH_MS = 10;

/**
 * Remembers the files that the handle opened. SQLite keeps using a file that was removed or replaced: appends would be
 * acknowledged, and lost when the process ends.
 * @see clauses S6 and S31 in `STORE.md`
 */
export class FileGuard {
  readonly #path: string | null;
  readonly #fs: FileSystem | null;
  readonly #known = new Map<string, FileIdentity>();
  #checkedAt = -Infinity;
  /** Whether the handle has opened the `-wal` and `-shm`. */
  #isLogOpen = false;

  /**
   * Guards the database at this path, as SQLite names it: absolute, with symbolic links resolved.
   * @param path `null` for a database without a file
   * @param fs `null` where the runtime lacks node:fs: then nothing is guarded
   */
  constructor(path: string | null, fs: FileSystem | null = fileSystemOfRuntime()) {
    this.#path = path;
    this.#fs = fs;
    if (path !== null) this.#note(path);
  }

  /** Remembers the `-wal` and `-shm` after the handle's first read in WAL mode: from then on they exist until it closes. */
  noteLog(): void {
    this.#isLogOpen = true;
    if (this.#path !== null) for (const suffix of SUFFIXES) this.#note(this.#path + suffix);
  }

  /**
   * Passes while the files are the opened ones, or were some milliseconds ago. A file that cannot be checked counts as present.
   * @param isWal whether the handle is in WAL mode; outside of it, the handle itself has removed the `-wal` and `-shm`
   * @throws RunEventsError `store_unavailable`, not retryable
   */
  check(isWal: () => boolean): void {
    const path = this.#path;
    // A database in a virtual file system of SQLite has a name but no file.
    if (path === null || !this.#known.has(path)) return;
    if (performance.now() - this.#checkedAt < FRESH_MS) return;
    if (!this.#isSame(path)) throw fileGone("The database file");
    for (const suffix of this.#isLogOpen ? SUFFIXES : []) {
      if (this.#isSame(path + suffix)) continue;
      if (isWal()) throw fileGone(`The database's \`${suffix}\` file`, OR_SWITCHED);
      this.#known.delete(path + suffix);
    }
    this.#checkedAt = performance.now();
  }

  /** The size of the `-wal` file in bytes; `null` if it does not exist or cannot be read. */
  walBytes(): number | null {
    const log = this.#path === null ? null : this.#stat(`${this.#path}-wal`);
    return log === null || log === "unknown" ? null : log.size;
  }

  #stat(name: string): FileIdentity | null | "unknown" {
    if (this.#fs === null) return "unknown";
    try {
      return this.#fs.statSync(name, { throwIfNoEntry: false }) ?? null;
    } catch {
      return "unknown";
    }
  }

  #note(name: string): void {
    const seen = this.#stat(name);
    if (seen !== null && seen !== "unknown") this.#known.set(name, seen);
  }

  /** Whether the file is the known one. If none is known, it becomes the known one, as after a return to the WAL mode. */
  #isSame(name: string): boolean {
    const before = this.#known.get(name);
    const now = this.#stat(name);
    if (now === "unknown") return true;
    if (before !== undefined) return now?.ino === before.ino && now.dev === before.dev;
    // A handle with an exclusive lock on the database keeps the `-shm` in memory.
    if (now !== null) this.#known.set(name, now);
    return true;
  }
}

/** The other possible cause. */
const OR_SWITCHED =
  " If only your handle left the WAL mode and came back, nothing is lost: create the store on a new handle.";

function fileGone(subject: string, otherwise = ""): RunEventsError {
  return new RunEventsError(
    "store_unavailable",
    `${subject} was removed or replaced while it was open. Stop every program that uses the database, restore the right file, and start again.${otherwise}`,
    { retryable: false },
  );
}

/** node:fs, or `null`. It is not imported, so that this package also loads in a runtime without it. */
function fileSystemOfRuntime(): FileSystem | null {
  const { process } = globalThis as {
    readonly process?: { getBuiltinModule?(name: string): unknown };
  };
  const fs = process?.getBuiltinModule?.("node:fs") as FileSystem | undefined;
  return fs ?? null;
}
