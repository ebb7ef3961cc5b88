import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { Redis } from "ioredis";
import { APPEND_EVENT_BYTES, OWNER, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { appendSpaced, type LatencyAppender, type LatencyServer } from "./latency-server.ts";
import { listen } from "./listen.ts";
import { createLog as createPostgresLog, createPool } from "./postgres-log.ts";
import { createLog as createRedisLog } from "./redis-log.ts";
import { createRunServer } from "./run-server.ts";
import { sampleEvent } from "./sample-event.ts";
import { createLog as createSqliteLog } from "./sqlite-log.ts";

/** The stores that a process may have its run in. */
export type LatencyStore = "memory" | "sqlite" | "postgres" | "redis";

const [, , store = "", place = ""] = process.argv;

/** The log with the run in it. */
async function openLog(): Promise<RunEvents> {
  switch (store as LatencyStore) {
    case "memory": {
      const runs = createRunEvents({ store: createMemoryStore() });
      await runs.create({ ownerId: OWNER, runId: runIdOf(0) });
      return runs;
    }
    case "sqlite":
      return (await createSqliteLog(place)).runs;
    case "postgres":
      return createPostgresLog(createPool(place), 1);
    case "redis":
      return createRedisLog(new Redis(place), "ours", 1);
  }
}

const runs = await openLog();
const server = createRunServer(runs, OWNER);
const event = sampleEvent(APPEND_EVENT_BYTES);

serveParent<LatencyServer & LatencyAppender>({
  listen: () => listen(server),
  append: (load) =>
    appendSpaced(load, async () => (await runs.append(runIdOf(0), [event])).lastSequence),
});
