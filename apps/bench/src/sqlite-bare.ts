import type { Database } from "better-sqlite3";
import type { BareEvent } from "./bare-stream.ts";

interface Head {
  readonly run_key: number;
  readonly last_sequence: number;
}

/**
 * The least that appends one event to the store's tables: no batch of others' calls, no checks, no bell, no promise. To be
 * called in a transaction; returns the event's sequence.
 */
export function prepareAppend(
  database: Database,
): (runId: string, event: Omit<BareEvent, "sequence">) => number {
  const selectHead = database.prepare<[string], Head>(
    "SELECT run_key, last_sequence FROM run_events_runs WHERE run_id = ?",
  );
  const insertEvent = database.prepare(
    `INSERT INTO run_events_events (run_key, sequence, event_type, phase, payload, created_at_ms)
     VALUES (?, ?, ?, NULL, ?, ?)`,
  );
  const updateHead = database.prepare(
    "UPDATE run_events_runs SET run_status = 'running', last_sequence = ?, updated_at_ms = ? WHERE run_key = ?",
  );
  return (runId, { eventType, payload, createdAtMs }) => {
    const head = selectHead.get(runId);
    if (head === undefined) throw new Error(`There is no run ${runId}.`);
    const sequence = head.last_sequence + 1;
    insertEvent.run(head.run_key, sequence, eventType, payload, createdAtMs);
    updateHead.run(sequence, createdAtMs, head.run_key);
    return sequence;
  };
}
