import { createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createPostgresStore } from "@tm/run-events-postgres";
import { openRedisStore } from "@tm/run-events-redis";
import { Redis } from "ioredis";
import pg from "pg";
import { OWNER, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { countCalls, type StoreCalls } from "./count-calls.ts";
import { listen } from "./listen.ts";
import { POOL_SIZE } from "./postgres-log.ts";
import { readUsage, type Usage } from "./rounds.ts";
import { createRunServer, type RunServer } from "./run-server.ts";

/** A server under a mixed load. */
export interface SizingServer extends RunServer {
  usage(): Usage & StoreCalls;
  /** In bytes. */
  residentBytes(): number;
  /** Of all runs, as their heads have it. */
  countEvents(): Promise<number>;
}

const [, , url = "", runCount = ""] = process.argv;
const { store, calls } = countCalls(await openStore());
const runs = createRunEvents({ store });
for (let index = 0; index < Number(runCount); index++) {
  await runs.create({ ownerId: OWNER, runId: runIdOf(index) });
}
const server = createRunServer(runs, OWNER);

async function openStore(): Promise<RunEventStore> {
  if (url.startsWith("redis:")) return openRedisStore(new Redis(url), { prefix: "sizing" });
  // Kept also while idle: what a connection's process has taken is not known any more when it has ended.
  const store = createPostgresStore(
    new pg.Pool({ connectionString: url, max: POOL_SIZE, idleTimeoutMillis: 0 }),
  );
  await store.migrate();
  return store;
}

serveParent<SizingServer>({
  listen: () => listen(server),
  usage: () => ({ ...readUsage(), ...calls() }),
  residentBytes: () => process.memoryUsage.rss(),
  async countEvents() {
    let count = 0;
    for (let index = 0; index < Number(runCount); index++) {
      count += (await runs.get(runIdOf(index))).lastSequence;
    }
    return count;
  },
});
