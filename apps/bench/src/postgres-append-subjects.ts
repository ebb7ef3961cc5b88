import { APPEND_EVENT_BYTES, type AppendWriter, appendTogether, OWNER } from "./append-writer.ts";
import { runSubject, serveParent } from "./child.ts";
import { countEvents, createLog, createPool } from "./postgres-log.ts";
import { sampleEvent } from "./sample-event.ts";

const NOW_MS = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/**
 * The least that appends one event to the same tables: the head advanced by the statement itself, not after a terminal
 * event and never back in time, and the event with its key. $1-$5: owner, run id, type, payload, key. Answers the event's
 * sequence, or no row.
 */
const APPEND = `
WITH head AS (
  UPDATE run_events.runs
  SET revision = revision + 1, last_sequence = last_sequence + 1, run_status = 'running',
    updated_at_ms = greatest(updated_at_ms, ${NOW_MS})
  WHERE owner_id = $1 AND run_id = $2 AND run_status IN ('queued', 'running', 'waiting')
  RETURNING run_key, last_sequence, updated_at_ms
), landed AS (
  INSERT INTO run_events.events (run_key, sequence, event_type, payload, created_at_ms, idempotency_key, key_events)
  SELECT run_key, last_sequence, $3, $4, updated_at_ms, $5, 1 FROM head
  RETURNING run_key, sequence
)
SELECT sequence FROM landed`;

const event = sampleEvent(APPEND_EVENT_BYTES);

/** @param name of a statement that each connection parses once; without one its text is sent each time */
async function serveBare(url: string, name: { readonly name?: string }): Promise<void> {
  const pool = createPool(url);
  await (await createLog(pool)).close();
  const { eventType, payload } = event;
  serveParent<AppendWriter>({
    append: (load) =>
      appendTogether(load, async (runId) => {
        const values = [OWNER, runId, eventType, JSON.stringify(payload), crypto.randomUUID()];
        const { rows } = await pool.query({ ...name, text: APPEND, values });
        if (rows.length !== 1) throw new Error(`There is no run ${runId}.`);
      }),
    count: () => countEvents(pool),
  });
}

await runSubject({
  async ours(url = "") {
    const pool = createPool(url);
    const runs = await createLog(pool);
    serveParent<AppendWriter>({
      append: (load) => appendTogether(load, (runId) => runs.as(OWNER).append(runId, [event])),
      count: () => countEvents(pool),
    });
  },
  bare: (url = "") => serveBare(url, {}),
  prepared: (url = "") => serveBare(url, { name: "append" }),
});
