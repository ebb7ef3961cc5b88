import { createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createPostgresStore } from "@tm/run-events-postgres";
import { openRedisStore } from "@tm/run-events-redis";
import { Redis } from "ioredis";
import pg from "pg";

/** Appends batches to a run from a process of its own, several at once, and prints where each landed, a JSON line a batch. */
const [url = "", runId = "", writer = "", batches = "0", atOnce = "1"] = process.argv.slice(2);

interface Opened {
  readonly store: RunEventStore;
  readonly close: () => Promise<unknown>;
}

async function open(): Promise<Opened> {
  if (url.startsWith("postgres:")) {
    const pool = new pg.Pool({ connectionString: url, max: 3 });
    return { store: createPostgresStore(pool), close: () => pool.end() };
  }
  const redis = new Redis(url);
  return { store: await openRedisStore(redis), close: () => redis.quit() };
}

const { store, close } = await open();
const runs = createRunEvents({ store });
const pending = Array.from({ length: Number(batches) }, (_, batch) => batch).values();

async function write(): Promise<void> {
  for (const batch of pending) {
    const size = 1 + (batch % 3);
    const events = Array.from({ length: size }, (_, index) => ({
      eventType: "NOTE",
      payload: { writer, batch, index },
    }));
    const { firstSequence, lastSequence } = await runs.as("ada").append(runId, events);
    console.log(JSON.stringify({ writer, batch, firstSequence, lastSequence }));
  }
}

await Promise.all(Array.from({ length: Number(atOnce) }, write));
await runs.close();
await close();
