import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import { APPEND_EVENT_BYTES, type AppendWriter, appendTogether } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { createPool } from "./postgres-log.ts";
import { sampleEvent } from "./sample-event.ts";

const [, , url = ""] = process.argv;
const pool = createPool(url);
const store = getPostgreSQLEventStore(url, { connectionOptions: { connectionString: url, pool } });
await store.schema.migrate();
const { eventType, payload } = sampleEvent(APPEND_EVENT_BYTES);
const event = { type: eventType, data: payload as { readonly text: string } };

async function countEvents(): Promise<number> {
  const { rows } = await pool.query<{ readonly events: number; readonly wrong: number }>(
    `SELECT sum(events)::int AS events, count(*) FILTER (WHERE (events, events) <> (stream_position, last))::int AS wrong FROM (
       SELECT s.stream_position, count(m.stream_position) AS events, max(m.stream_position) AS last
       FROM emt_streams s LEFT JOIN emt_messages m USING (stream_id) GROUP BY stream_id, s.stream_position) counted`,
  );
  if (rows[0]?.wrong !== 0) throw new Error("A stream has not all its events.");
  return rows[0].events;
}

serveParent<AppendWriter>({
  append: (load) => appendTogether(load, (runId) => store.appendToStream(runId, [event])),
  count: countEvents,
});
