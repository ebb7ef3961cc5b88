import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, fsyncSync, openSync, readFileSync, statfsSync, writeSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { median } from "./report.ts";
import { withTempFolder } from "./temp-folder.ts";

const TMPFS = 0x0102_1994;

/** Where figures come from. */
export interface Machine {
  readonly date: string;
  /** With a `+` if the checkout had changes. */
  readonly commit: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly sqlite: string;
  /** Of the packages and programs that are measured. */
  readonly versions: Readonly<Record<string, string>>;
  /** The median of a 4 KiB write and its fsync in the temp folder, in milliseconds; `null` on tmpfs, which does not sync. */
  readonly fsyncMs: number | null;
}

/** Describes this machine, and this checkout. */
export async function describeMachine(): Promise<Machine> {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: describeCommit(),
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    sqlite: sqliteVersion(),
    versions: { ...packageVersions(), ...programVersions() },
    fsyncMs: await measureFsync(),
  };
}

/** The machine in one line. */
export function formatMachine(machine: Machine): string {
  const { date, commit, processor, cores, memoryGiB, node, sqlite, fsyncMs } = machine;
  const disk = fsyncMs === null ? "tmpfs: fsync does nothing" : `fsync ${fsyncMs.toFixed(2)} ms`;
  return `${date} · commit ${commit} · ${processor}, ${cores} cores, ${memoryGiB} GiB · Node ${node} · SQLite ${sqlite} · ${disk}`;
}

function describeCommit(): string {
  try {
    const git = (...command: string[]): string =>
      execFileSync("git", command, { cwd: import.meta.dirname, encoding: "utf8", stdio: "pipe" });
    const changed = git("status", "--porcelain").length > 0;
    return `${git("rev-parse", "--short", "HEAD").trim()}${changed ? "+" : ""}`;
  } catch {
    // An unpacked archive is no checkout, and a machine need not have git.
    return "unknown";
  }
}

/** What this package measures, at the versions that are installed. */
function packageVersions(): Readonly<Record<string, string>> {
  const versionOf = (file: string): { version: string; dependencies: Record<string, string> } =>
    JSON.parse(readFileSync(join(import.meta.dirname, file), "utf8"));
  const names = Object.keys(versionOf("../package.json").dependencies);
  return Object.fromEntries(
    names
      .filter((name) => !name.startsWith("@tm/"))
      .map((name) => [name, versionOf(`../node_modules/${name}/package.json`).version]),
  );
}

/** The servers that are measured against or stored in; what is not installed is left out. */
function programVersions(): Readonly<Record<string, string>> {
  const programs = { redis: ["redis-server", "--version"], nginx: ["nginx", "-v"] } as const;
  const versions: [string, string][] = [];
  for (const [name, [program, flag]] of Object.entries(programs)) {
    const { stdout, stderr } = spawnSync(program, [flag], { encoding: "utf8" });
    const version = /[\d.]+\d/.exec(`${stdout}${stderr}`)?.[0];
    if (version !== undefined) versions.push([name, version]);
  }
  return Object.fromEntries(versions);
}

function sqliteVersion(): string {
  const database = new Database(":memory:");
  try {
    return database.prepare<[], string>("SELECT sqlite_version()").pluck().get() ?? "unknown";
  } finally {
    database.close();
  }
}

function measureFsync(): Promise<number | null> {
  return withTempFolder(async (folder) => {
    if (statfsSync(folder).type === TMPFS) return null;
    const block = Buffer.alloc(4_096, 1);
    const file = openSync(join(folder, "fsync"), "w");
    try {
      const times = Array.from({ length: 101 }, () => {
        const before = performance.now();
        writeSync(file, block);
        fsyncSync(file);
        return performance.now() - before;
      });
      return median(times);
    } finally {
      closeSync(file);
    }
  });
}
