import { join } from "node:path";
import type { RunEvents } from "@tm/run-events-core";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { createLog as createPostgresLog, createPool } from "./postgres-log.ts";
import { createLog as createRedisLog } from "./redis-log.ts";
import { createLog as createSqliteLog } from "./sqlite-log.ts";
import { withTempFolder } from "./temp-folder.ts";
import { withServer } from "./with-server.ts";

/** Each store of ours, with a server or a file of its own. */
export const LEASE_STORES: readonly LeaseStore[] = [
  {
    name: "SQLite",
    withUrl: (use) => withTempFolder((folder) => use(`sqlite:${join(folder, "ours.db")}`)),
  },
  {
    name: "Postgres",
    withUrl: (use) => withServer(startPostgres(), ({ url }) => use(url)),
  },
  {
    name: "Redis",
    withUrl: (use) =>
      // A rewrite of the append-only file takes a core and meets whoever's turn it is.
      withServer(startRedis({ settings: ["--auto-aof-rewrite-percentage", "0"] }), ({ url }) =>
        use(url),
      ),
  },
];

/** A store, and where it is. */
export interface LeaseStore {
  readonly name: string;
  withUrl<Result>(use: (url: string) => Promise<Result>): Promise<Result>;
}

/** Opens the log at such a URL, with so many runs that are made unless they are there. */
export async function openLog(url: string, count: number): Promise<RunEvents> {
  if (url.startsWith("sqlite:")) {
    return (await createSqliteLog(url.slice("sqlite:".length), count)).runs;
  }
  if (url.startsWith("postgres:")) return createPostgresLog(createPool(url), count);
  return createRedisLog(new Redis(url), "ours", count);
}
