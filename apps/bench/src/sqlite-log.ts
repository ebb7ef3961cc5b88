import Database from "better-sqlite3";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { CALLERS, OWNER, runIdOf } from "./append-writer.ts";

/**
 * Makes the file with its tables and runs. The handle comes back with the store's own pragmas on it: WAL,
 * `synchronous=FULL`, foreign keys.
 */
export async function createLog(
  file: string,
  count: number = CALLERS,
): Promise<{ readonly database: Database.Database; readonly runs: RunEvents }> {
  const database = new Database(file);
  const store = createSqliteStore(database);
  await store.migrate();
  const runs = createRunEvents({ store });
  for (let index = 0; index < count; index++) {
    await runs.create({ ownerId: OWNER, runId: runIdOf(index) });
  }
  return { database, runs };
}

/** Counts the events of a file. @throws unless every run's head says how many it has. */
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
