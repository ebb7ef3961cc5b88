import { RunEventsError } from "@tm/run-events-core";

/** Distinguishes a file from another one under the same name. The handle keeps its files open, so no other file gets their inodes. */
interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/** The function that the guard needs of node:fs. */
interface FileSystem {
  statSync(path: string, options: { readonly throwIfNoEntry: false }): FileIdentity | undefined;
}

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

  /**
   * Guards the database at this path, as SQLite names it: absolute, with symbolic links resolved.
   * @param path `null` for a database without a file
   * @param fs `null` where the runtime lacks node:fs: then nothing is guarded
   */
  constructor(path: string | null, fs: FileSystem | null = fileSystemOfRuntime()) {
    this.#path = path;
    this.#fs = fs;
    this.#note("");
  }

  /** Remembers the `-wal` and `-shm` after the handle's first read in WAL mode: from then on they exist until it closes. */
  noteLog(): void {
    this.#note("-wal");
    // A handle with an exclusive lock on the database keeps it in memory.
    this.#note("-shm");
  }

  /**
   * Passes while the files are the opened ones, or were some milliseconds ago. A file that cannot be checked counts as present.
   * @throws RunEventsError `store_unavailable`, not retryable
   */
  check(): void {
    if (performance.now() - this.#checkedAt < FRESH_MS) return;
    for (const [suffix, before] of this.#known) {
      const now = this.#stat(suffix);
      if (now === undefined || (now?.ino === before.ino && now.dev === before.dev)) continue;
      throw new RunEventsError(
        "store_unavailable",
        `The database${suffix === "" ? "" : `'s \`${suffix}\``} file was removed or replaced while it was open. Stop every program that uses the database, restore the right file, and start again.`,
        { retryable: false },
      );
    }
    this.#checkedAt = performance.now();
  }

  #note(suffix: string): void {
    const seen = this.#stat(suffix);
    // A database in a virtual file system of SQLite has a name but no file.
    if (seen) this.#known.set(suffix, seen);
  }

  /** @returns `null` if there is no file, `undefined` if that cannot be known */
  #stat(suffix: string): FileIdentity | null | undefined {
    if (this.#path === null || this.#fs === null) return undefined;
    try {
      return this.#fs.statSync(this.#path + suffix, { throwIfNoEntry: false }) ?? null;
    } catch {
      return undefined;
    }
  }
}

/** node:fs, or `null`. It is not imported, so that this package also loads in a runtime without it. */
function fileSystemOfRuntime(): FileSystem | null {
  const { process } = globalThis as {
    readonly process?: { getBuiltinModule?(name: string): unknown };
  };
  const fs = process?.getBuiltinModule?.("node:fs") as FileSystem | undefined;
  return fs ?? null;
}
