import { execFileSync } from "node:child_process";
import { closeSync, fsyncSync, openSync, statfsSync, writeSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import { median } from "./report.ts";
import { createTempFolder } from "./temp-folder.ts";

const TMPFS = 0x0102_1994;

/** Where the figures come from, in one line: the checkout, the machine and its disk. */
export async function describeMachine(): Promise<string> {
  const fsyncMs = await measureFsync();
  return [
    new Date().toISOString().slice(0, 10),
    `commit ${describeCommit()}`,
    `${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Node ${process.versions.node}`,
    fsyncMs === null ? "tmpfs: fsync does nothing" : `fsync ${fsyncMs.toFixed(2)} ms`,
  ].join(" · ");
}

/** With a `+` if the checkout has changes; an unpacked archive is no checkout, and a machine need not have git. */
function describeCommit(): string {
  try {
    const git = (...command: string[]): string =>
      execFileSync("git", command, { cwd: import.meta.dirname, encoding: "utf8", stdio: "pipe" });
    const changed = git("status", "--porcelain").length > 0;
    return `${git("rev-parse", "--short", "HEAD").trim()}${changed ? "+" : ""}`;
  } catch {
    return "unknown";
  }
}

/** The median of a 4 KiB write and its fsync in the temp folder, in milliseconds; `null` on tmpfs, which does not sync. */
async function measureFsync(): Promise<number | null> {
  await using scope = new AsyncDisposableStack();
  const folder = await createTempFolder(scope);
  if (statfsSync(folder).type === TMPFS) return null;
  const file = openSync(join(folder, "fsync"), "w");
  scope.defer(() => closeSync(file));
  const block = Buffer.alloc(4_096, 1);
  const times = Array.from({ length: 101 }, () => {
    const before = performance.now();
    writeSync(file, block);
    fsyncSync(file);
    return performance.now() - before;
  });
  return median(times);
}
