import type Database from "better-sqlite3";

interface Head {
  readonly run_key: number;
  readonly last_sequence: number;
}

/**
 * The least that appends an event to the store's tables: no checks, no bell. The caller has the transaction.
 * @returns appends one event with this payload to a run, and says its sequence
 */
export function createBareAppend(
  database: Database.Database,
): (runId: string, eventType: string, payload: string) => number {
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
  return (runId, eventType, payload) => {
    const head = selectHead.get(runId);
    if (head === undefined) throw new Error(`There is no run ${runId}.`);
    const nowMs = Date.now();
    const sequence = head.last_sequence + 1;
    insertEvent.run(head.run_key, sequence, eventType, payload, nowMs);
    updateHead.run(sequence, nowMs, head.run_key);
    return sequence;
  };
}
