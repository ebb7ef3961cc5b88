import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import { serveParent } from "./child.ts";
import { createPool } from "./postgres-log.ts";
import { BATCH_EVENTS, REPLAY_EVENT_BYTES, REPLAY_RUN } from "./replay-log.ts";
import { type LogReader, measureReading } from "./replay-read.ts";
import { sampleEvent } from "./sample-event.ts";

const [, , url = "", count = ""] = process.argv;
const pool = createPool(url);
const store = getPostgreSQLEventStore(url, { connectionOptions: { connectionString: url, pool } });
await store.schema.migrate();
const { eventType, payload } = sampleEvent(REPLAY_EVENT_BYTES);
const event = { type: eventType, data: payload as { readonly text: string } };
for (let left = Number(count); left > 0; left -= BATCH_EVENTS) {
  const batch = Array.from({ length: Math.min(left, BATCH_EVENTS) }, () => event);
  await store.appendToStream(REPLAY_RUN, batch);
}

serveParent<LogReader>({
  read: () =>
    measureReading(Number(count), async () => {
      const { events } = await store.readStream<typeof event>(REPLAY_RUN);
      return events.map(({ metadata }) => Number(metadata.streamPosition));
    }),
});
