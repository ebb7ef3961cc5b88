import Database from "better-sqlite3";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import type { Cost } from "./rounds.ts";

/** A process that appends to a file of its own. */
export interface AppendWriter {
  /**
   * Appends so many single events, spread over the first so many of the runs.
   * @returns what it took
   */
  append(load: { readonly appends: number; readonly runs: number }): Promise<Cost>;
  /** How many events the file holds. @throws unless every run has its events without a gap. */
  count(): number;
}

/** How many callers wait for an append at any time; also the number of runs there are. */
export const CALLERS = 64;
/** The length of an event's JSON, in bytes. */
export const APPEND_EVENT_BYTES = 300;

/** The id of a run of the file. */
export function runIdOf(index: number): string {
  return `run-${index}`;
}

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
    await runs.create({ ownerId: "writer", runId: runIdOf(index) });
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
