const NOW_MS = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

const LANDED = `
WITH head AS (
  UPDATE run_events.runs
  SET last_sequence = last_sequence + 1, run_status = 'running', updated_at_ms = greatest(updated_at_ms, ${NOW_MS})
  WHERE run_id = $1 AND finished_at_ms IS NULL
  RETURNING run_key, last_sequence, updated_at_ms
), landed AS (
  INSERT INTO run_events.events (run_key, sequence, event_type, payload, created_at_ms, idempotency_key, key_events)
  SELECT run_key, last_sequence, $2, $3, updated_at_ms, $4, 1 FROM head
  RETURNING run_key, sequence
)`;

/**
 * The least that appends one event to the same tables: the head advanced by the statement itself, not behind a terminal
 * event and never back in time, and the event with its key. $1-$4: run id, type, payload, key. Answers the event's
 * sequence, or no row.
 */
export const APPEND: string = `${LANDED}
SELECT sequence FROM landed`;

/** The same with a notification in its transaction. */
export const APPEND_AND_NOTIFY: string = `${LANDED}
SELECT sequence, pg_notify('run_events', concat_ws(':', $1, run_key, sequence)) FROM landed`;

/** The same for several events: $2 and $3 are arrays, and the key stands for all of them. Answers the last event's sequence, or no row. */
export const APPEND_BATCH: string = `
WITH head AS (
  UPDATE run_events.runs
  SET last_sequence = last_sequence + cardinality($2::text[]), run_status = 'running',
    updated_at_ms = greatest(updated_at_ms, ${NOW_MS})
  WHERE run_id = $1 AND finished_at_ms IS NULL
  RETURNING run_key, last_sequence, updated_at_ms
), landed AS (
  INSERT INTO run_events.events (run_key, sequence, event_type, payload, created_at_ms, idempotency_key, key_events)
  SELECT run_key, last_sequence - count + nth, event_type, payload, updated_at_ms,
    CASE WHEN nth = count THEN $4 END, CASE WHEN nth = count THEN count END
  FROM head, cardinality($2::text[]) AS count, unnest($2::text[], $3::text[]) WITH ORDINALITY AS e (event_type, payload, nth)
)
SELECT last_sequence AS sequence FROM head`;
