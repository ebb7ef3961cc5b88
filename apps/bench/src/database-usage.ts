import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import pg from "pg";

/** What a database has done since it started. */
export interface DatabaseUsage {
  /** User and system time of each of its processes that is still there. */
  readonly cpuMicros: ReadonlyMap<string, number>;
  /** Postgres: bytes of write-ahead log. Redis: bytes held in memory. */
  readonly bytes: number;
}

/** What the processes took that were there at both readings: who has come or gone between them is not counted. */
export function databaseMicros(before: DatabaseUsage, after: DatabaseUsage): number {
  let sum = 0;
  for (const [pid, micros] of after.cpuMicros) {
    const earlier = before.cpuMicros.get(pid);
    if (earlier !== undefined) sum += micros - earlier;
  }
  return sum;
}

/** Of a server on this machine. @param dataFolder the folder with its `postmaster.pid` */
export async function postgresUsage(url: string, dataFolder: string): Promise<DatabaseUsage> {
  const pidFile = await readFile(join(dataFolder, "postmaster.pid"), "utf8");
  const postmaster = Number(pidFile.slice(0, pidFile.indexOf("\n")));
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ readonly bytes: number }>(
      "SELECT (pg_current_wal_lsn() - '0/0')::float8 AS bytes",
    );
    return { cpuMicros: await treeMicros(postmaster), bytes: rows[0]?.bytes ?? 0 };
  } finally {
    await client.end();
  }
}

/** Of a server anywhere. */
export async function redisUsage(redis: Redis): Promise<DatabaseUsage> {
  const cpu = await redis.info("cpu");
  const memory = await redis.info("memory");
  const field = (text: string, name: string): number =>
    Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text)?.[1]);
  const seconds = field(cpu, "used_cpu_sys") + field(cpu, "used_cpu_user");
  return {
    cpuMicros: new Map([["server", seconds * 1_000_000]]),
    bytes: field(memory, "used_memory"),
  };
}

/** The time of a process and of its children, one thread each, as Linux's scheduler counts it. */
async function treeMicros(parent: number): Promise<ReadonlyMap<string, number>> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const micros = new Map<string, number>();
  for (const pid of pids) {
    try {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      const parentOfPid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      if (Number(pid) !== parent && parentOfPid !== parent) continue;
      const nanos = (await readFile(`/proc/${pid}/schedstat`, "utf8")).split(" ")[0];
      micros.set(pid, Number(nanos) / 1_000);
    } catch {
      // It has ended since the folder was read.
    }
  }
  return micros;
}
