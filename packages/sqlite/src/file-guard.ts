import { RunEventsError } from "@tm/run-events-core";

/** The values that distinguish a file from another one under the same name. */
interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  /** Distinguishes a file from an earlier one with the same inode, where the file system keeps it. */
  readonly birthtimeMs: number;
}

/** The functions that the guard needs of node:fs. */
interface FileSystem {
  statSync(path: string, options: { readonly throwIfNoEntry: false }): FileIdentity | undefined;
  readdirSync(path: string): readonly string[];
  fstatSync(descriptor: number): FileIdentity;
}

/** The handle whose files are guarded. */
export interface GuardedHandle {
  /** Whether it is in WAL mode; in other modes the `-wal` and `-shm` may disappear. */
  isWal(): boolean;
  /** Reads from the database, which in WAL mode opens the `-wal` and `-shm`. */
  read(): void;
}

/** The folder that lists the descriptors of this process, on Linux, macOS and the BSDs. */
const DESCRIPTORS = "/dev/fd";

/** The suffixes of the files that SQLite opens next to the database in WAL mode. */
const SUFFIXES = ["-wal", "-shm"] as const;
type Suffix = (typeof SUFFIXES)[number];

/**
 * How long a call trusts the last check, in milliseconds. A check costs a good part of a commit that is not synced, so not every
 * call makes one. Appends that are acknowledged in this time may be lost, like those just before the file was removed.
 */
const FRESH_MS = 10;

/**
 * Remembers the files that the handle opened. SQLite keeps using a file that was removed or replaced: appends would be
 * acknowledged, and lost when the process ends. The handle keeps its files open, so no other file gets their inode numbers.
 *
 * A handle that leaves the WAL mode and comes back has closed its `-wal` and created another one. That loses nothing. The process's
 * open files show it: the old `-wal` is not among them, and the new one is.
 * @see clauses S6 and S31 in `STORE.md`
 */
export class FileGuard {
  readonly #path: string | null;
  readonly #fs: FileSystem | null;
  readonly #known = new Map<string, FileIdentity>();
  /** The file that replaced a lost file, or `null`. While it stays, the open files need no second check. */
  readonly #lost = new Map<string, FileIdentity | null>();
  #checkedAt = -Infinity;
  /** Whether the handle has opened the `-wal` and `-shm`. */
  #isNoted = false;

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
    this.#isNoted = true;
    if (this.#path !== null) for (const suffix of SUFFIXES) this.#note(this.#path + suffix);
  }

  /**
   * Passes while the files are the opened ones, or were some milliseconds ago. A file that cannot be checked counts as present.
   * @throws RunEventsError `store_unavailable`, not retryable
   */
  check(handle: GuardedHandle): void {
    const path = this.#path;
    // A database in a virtual file system of SQLite has a name but no file.
    if (path === null || !this.#known.has(path)) return;
    if (performance.now() - this.#checkedAt < FRESH_MS) return;
    if (!this.#isSame(path)) throw fileGone("The database file");
    for (const suffix of this.#isNoted ? SUFFIXES : []) {
      const name = path + suffix;
      if (this.#known.has(name) && this.#isSame(name)) continue;
      if (this.#isHandles(suffix, handle)) continue;
      const isHidden = this.#listOpen() === null;
      throw fileGone(`The database's \`${suffix}\` file`, isHidden ? OR_SWITCHED : "");
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

  /** Whether the file is the known one. It is if no file is known. */
  #isSame(name: string): boolean {
    const before = this.#known.get(name);
    if (before === undefined) return true;
    const now = this.#stat(name);
    if (now === "unknown") return true;
    if (now === null || !isSameFile(now, before)) return false;
    this.#known.set(name, now);
    return true;
  }

  /** The files that this process has open; `null` where the system does not show them. */
  #listOpen(): readonly FileIdentity[] | null {
    try {
      return (
        this.#fs?.readdirSync(DESCRIPTORS).flatMap((name) => this.#statOpen(Number(name))) ?? null
      );
    } catch {
      return null;
    }
  }

  /** The file of a descriptor; empty if it was closed since, like the descriptor that read the list. */
  #statOpen(descriptor: number): readonly FileIdentity[] {
    try {
      return this.#fs === null ? [] : [this.#fs.fstatSync(descriptor)];
    } catch {
      return [];
    }
  }

  /** Whether the handle itself replaced or removed the known file. A new file then becomes the known one. */
  #isHandles(suffix: Suffix, handle: GuardedHandle): boolean {
    const name = this.#path + suffix;
    const before = this.#known.get(name);
    const found = this.#stat(name);
    if (found === "unknown") return true;
    // A handle with an exclusive lock on the database keeps the `-shm` in memory.
    if (found === null && before === undefined && suffix === "-shm") return true;
    if (!handle.isWal()) {
      this.#known.delete(name);
      return true;
    }
    handle.read();
    const now = this.#stat(name);
    if (now === "unknown") return true;
    const judged = this.#lost.get(name);
    if (judged !== undefined && isSameAsBefore(now, judged)) return false;
    if ((now !== null || suffix === "-shm") && isOwnDoing(before, now, this.#listOpen())) {
      this.#lost.delete(name);
      if (now === null) this.#known.delete(name);
      else this.#known.set(name, now);
      return true;
    }
    this.#lost.set(name, now);
    return false;
  }
}

/**
 * Whether this process itself replaced a file: it has the new one open, and the old one not. Where the system does not show open
 * files, only a new file without an earlier one counts.
 * @param now `null` if the file does not exist now
 */
function isOwnDoing(
  before: FileIdentity | undefined,
  now: FileIdentity | null,
  open: readonly FileIdentity[] | null,
): boolean {
  if (open === null) return before === undefined;
  if (before !== undefined && open.some((file) => isSameAsBefore(file, before))) return false;
  return now === null || open.some((file) => isSameFile(file, now));
}

/** Whether two files of different times are the same: an inode that was freed may belong to another file by now. */
function isSameAsBefore(now: FileIdentity | null, before: FileIdentity | null): boolean {
  if (now === null || before === null) return now === before;
  return isSameFile(now, before) && now.birthtimeMs === before.birthtimeMs;
}

function isSameFile(one: FileIdentity, other: FileIdentity): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/** The other possible cause, where the system does not show open files. */
const OR_SWITCHED =
  " If only this handle left the WAL mode and came back, nothing is lost. Close it, and create the store on a new handle.";

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
