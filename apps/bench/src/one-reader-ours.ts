import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { openRedisStore } from "@tm/run-events-redis";
import { Redis } from "ioredis";
import { OWNER } from "./append-writer.ts";
import { FANOUT_EVENT_BYTES, serveFanout } from "./fanout-server.ts";
import { appendToAll, REDIS_URL, runIds } from "./one-reader-runs.ts";
import { createRunServer } from "./run-server.ts";
import { sampleEvent } from "./sample-event.ts";

const store =
  REDIS_URL === undefined
    ? createMemoryStore()
    : await openRedisStore(new Redis(REDIS_URL), { prefix: "ours" });
const runs = createRunEvents({ store });
for (const runId of runIds) await runs.create({ ownerId: OWNER, runId });
const event = sampleEvent(FANOUT_EVENT_BYTES);
let lastSequence = 0;

serveFanout(createRunServer(runs, OWNER), async (count) => {
  const batch = Array.from({ length: count }, () => event);
  await appendToAll((runId) => runs.append(runId, batch));
  lastSequence += count;
  return lastSequence;
});
