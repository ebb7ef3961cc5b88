import Database from "better-sqlite3";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { CALLERS, OWNER, runIdOf } from "./append-writer.ts";
import type { BareEvent } from "./bare-stream.ts";

/**
 * Makes the file with its tables and runs. The handle comes back with the store's own pragmas on it: WAL,
 * `synchronous=FULL`, foreign keys.
 */
export async function createLog(
  file: string,
): Promise<{ readonly database: Database.Database; readonly runs: RunEvents }> {
  const database = new Database(file);
  const store = createSqliteStore(database);
  await store.migrate();
  const runs = createRunEvents({ store });
  for (let index = 0; index < CALLERS; index++) {
    await runs.create({ ownerId: OWNER, runId: runIdOf(index) });
  }
  return { database, runs };
}

/**
 * Counts the events of a file.
 * @throws unless every run's head says how many it has.
 */
export function countEvents(database: Database.Database): number {
  const counted = database
    .prepare<[], { readonly events: number; readonly wrong: number }>(
      `SELECT sum(events) AS events, sum(events <> last_sequence) AS wrong FROM (
         SELECT last_sequence, count(sequence) AS events FROM run_events_runs
         LEFT JOIN run_events_events USING (run_key) GROUP BY run_key)`,
    )
    .get();
  if (counted === undefined || counted.wrong !== 0)
    throw new Error("A run has not all its events.");
  return counted.events;
}

interface Head {
  readonly run_key: number;
  readonly last_sequence: number;
}

/**
 * The least that appends one event to the store's tables: no batch of others' calls, no checks, no notification, no promise. To be
 * called in a transaction; returns the event's sequence.
 */
export function prepareAppend(
  database: Database.Database,
): (runId: string, event: Omit<BareEvent, "sequence">) => number {
  const selectHead = database.prepare<[string, string], Head>(
    "SELECT run_key, last_sequence FROM run_events_runs WHERE owner_id = ? AND run_id = ?",
  );
  const insertEvent = database.prepare(
    `INSERT INTO run_events_events (run_key, sequence, event_type, payload, created_at_ms)
     VALUES (?, ?, ?, ?, ?)`,
  );
  const updateHead = database.prepare(
    `UPDATE run_events_runs SET revision = revision + 1, run_status = 'running', last_sequence = ?, updated_at_ms = ?
     WHERE run_key = ?`,
  );
  return (runId, { eventType, payload, createdAtMs }) => {
    const head = selectHead.get(OWNER, runId);
    if (head === undefined) throw new Error(`There is no run ${runId}.`);
    const sequence = head.last_sequence + 1;
    insertEvent.run(head.run_key, sequence, eventType, payload, createdAtMs);
    updateHead.run(sequence, createdAtMs, head.run_key);
    return sequence;
  };
}
