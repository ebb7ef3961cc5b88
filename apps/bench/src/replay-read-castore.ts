import { PostgresEventStorageAdapter } from "@castore/event-storage-adapter-postgres";
import { serveParent } from "./child.ts";
import { createPool } from "./postgres-log.ts";
import { REPLAY_EVENT_BYTES, REPLAY_RUN } from "./replay-log.ts";
import { type LogReader, measureReading } from "./replay-read.ts";
import { sampleEvent } from "./sample-event.ts";

const [, , connectionString = "", count = ""] = process.argv;
const EVENT_STORE = { eventStoreId: "runs" };
await PostgresEventStorageAdapter.createEventTable({
  connectionString,
  aggregateId: { type: "VARCHAR", length: 64 },
});
const adapter = new PostgresEventStorageAdapter({ connectionString });
const { eventType, payload } = sampleEvent(REPLAY_EVENT_BYTES);
await adapter.pushEvent(
  { aggregateId: REPLAY_RUN, version: 1, type: eventType, payload },
  EVENT_STORE,
);
// It appends one at a time: the others are made like the first.
const pool = createPool(connectionString);
await pool.query(
  `INSERT INTO event (aggregate_name, aggregate_id, version, type, data, metadata, timestamp)
   SELECT aggregate_name, aggregate_id, n, type, data, metadata, timestamp
   FROM event, generate_series(2, $1) AS g (n)`,
  [Number(count)],
);
await pool.end();

serveParent<LogReader>({
  read: () =>
    measureReading(Number(count), async () => {
      const { events } = await adapter.getEvents(REPLAY_RUN, EVENT_STORE);
      return events.map(({ version }) => version);
    }),
});
