import { readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";

const SHARED_MEMORY = "/dev/shm";

/** The free bytes that the folder needs: more than the tests of a run use at the same time. */
const ROOM_BYTES = 4 * 2 ** 30;

/**
 * The folder for temporary files of the tests. On Linux it is in memory, so that no commit of a store waits for the disk. Elsewhere, and if
 * `TMPDIR` says another, it is the system's.
 */
export function scratchFolder(): string {
  return process.env["TMPDIR"] === undefined && hasRoom() ? SHARED_MEMORY : tmpdir();
}

/** A container may have 64 MB of it, or run no program there, as the tests of packed packages do. */
function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(SHARED_MEMORY);
    const mounted = / \/dev\/shm \S+ (\S+)/.exec(readFileSync("/proc/self/mounts", "utf8"));
    return bavail * bsize >= ROOM_BYTES && mounted?.[1]?.includes("noexec") === false;
  } catch {
    return false;
  }
}
