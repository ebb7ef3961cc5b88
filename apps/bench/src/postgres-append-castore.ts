import { EventStore, EventType } from "@castore/core";
import { PostgresEventStorageAdapter } from "@castore/event-storage-adapter-postgres";
import { APPEND_EVENT_BYTES, type AppendWriter, appendTogether } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { createPool } from "./postgres-log.ts";
import { sampleEvent } from "./sample-event.ts";

const [, , connectionString = ""] = process.argv;
const aggregateId = { type: "VARCHAR", length: 32 } as const;
await PostgresEventStorageAdapter.createEventTable({ connectionString, aggregateId });
const { eventType, payload } = sampleEvent(APPEND_EVENT_BYTES);
const store = new EventStore({
  eventStoreId: "runs",
  eventTypes: [new EventType<string, { readonly text: string }>({ type: eventType })],
  reducer: (_, { aggregateId: runId, version }) => ({ aggregateId: runId, version }),
  eventStorageAdapter: new PostgresEventStorageAdapter({ connectionString }),
});
const event = { type: eventType, payload: payload as { readonly text: string } };
const versions = new Map<string, number>();

/** Whoever appends says which version comes next: there is one caller a stream. */
async function append(runId: string): Promise<void> {
  const version = (versions.get(runId) ?? 0) + 1;
  await store.pushEvent({ ...event, aggregateId: runId, version });
  versions.set(runId, version);
}

async function countEvents(): Promise<number> {
  const pool = createPool(connectionString);
  const { rows } = await pool.query<{ readonly events: number; readonly wrong: number }>(
    `SELECT sum(events)::int AS events, count(*) FILTER (WHERE events <> last)::int AS wrong FROM (
       SELECT count(*) AS events, max(version) AS last FROM event GROUP BY aggregate_id) counted`,
  );
  await pool.end();
  if (rows[0]?.wrong !== 0) throw new Error("A stream has not all its events.");
  return rows[0].events;
}

serveParent<AppendWriter>({
  append: (load) => appendTogether(load, append),
  count: countEvents,
});
