import Database from "better-sqlite3";
import { createRunEvents } from "@tm/run-events-core";
import { MAX_BATCH_EVENTS } from "@tm/run-events-core/store";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { OWNER, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { GROWTH_EVENT_BYTES, type GrowthFiller, type GrowthSize } from "./growth-store.ts";
import { sampleEvent } from "./sample-event.ts";

/** How many calls wait for the store together. */
const CALLS_AT_ONCE = 50;

/** Makes the file. That is not measured, so it need not wait for the disk. */
async function fill(file: string, { runs: runCount, eventsARun }: GrowthSize): Promise<void> {
  const database = new Database(file);
  const store = createSqliteStore(database, { synchronous: "NORMAL" });
  await store.migrate();
  const runs = createRunEvents({ store });
  const event = sampleEvent(GROWTH_EVENT_BYTES);
  async function callAll(call: (runId: string) => Promise<unknown>): Promise<void> {
    for (let first = 0; first < runCount; first += CALLS_AT_ONCE) {
      const length = Math.min(CALLS_AT_ONCE, runCount - first);
      await Promise.all(Array.from({ length }, (_, index) => call(runIdOf(first + index))));
    }
  }
  await callAll((runId) => runs.create({ ownerId: OWNER, runId }));
  for (let events = eventsARun; events > 0; events -= MAX_BATCH_EVENTS) {
    const batch = Array.from({ length: Math.min(events, MAX_BATCH_EVENTS) }, () => event);
    await callAll((runId) => runs.append(runId, batch));
  }
  await runs.close();
  database.close();
}

serveParent<GrowthFiller>({ fill: ({ file, size }) => fill(file, size) });
