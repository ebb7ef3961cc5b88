import type { Head, RunName } from "@tm/run-events-core/store";
import { prepareStatement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";

/** Where a run's log ends. */
export type Position = Pick<Head, keyof RunName | "ordinal" | "lastSequence">;

/** The statements of a poll for the commits of other connections. */
export interface Positions {
  /** Changes with every commit of another connection, and with none of this one. */
  dataVersion(): number;
  selectPositions(names: readonly RunName[]): readonly Position[];
  /** The key of the newest event. A key may be reused after the newest events were removed. */
  lastEvent(): number;
  /** The runs that have events after that key, by which they are found: neither all runs nor all events matter. */
  selectMoved(afterEvent: number): readonly RunName[];
}

/** The most events that a poll looks at. */
const MOST_EVENTS = 1_000;

/** Prepares the statements of a poll. */
export function preparePositions(db: SqliteDatabase, { runs, events }: Tables): Positions {
  const version = prepareStatement(db, "PRAGMA data_version");
  const select = prepareStatement(
    db,
    `SELECT owner_id AS ownerId, run_id AS runId, run_key AS ordinal, last_sequence AS lastSequence
     FROM json_each(?) AS name CROSS JOIN ${runs} ON owner_id = name.value ->> 0 AND run_id = name.value ->> 1`,
  );
  const last = prepareStatement(db, `SELECT coalesce(max(rowid), 0) AS event FROM ${events}`);
  const moved = prepareStatement(
    db,
    `SELECT run_id AS runId, owner_id AS ownerId FROM ${runs} WHERE run_key IN (
       SELECT run_key FROM ${events} WHERE rowid > +? ORDER BY rowid LIMIT ${MOST_EVENTS})`,
  );
  return {
    dataVersion: () => (version.get() as { readonly data_version: number }).data_version,
    selectPositions: (names) =>
      select.all(JSON.stringify(names.map(({ ownerId, runId }) => [ownerId, runId]))) as Position[],
    lastEvent: () => (last.get() as { readonly event: number }).event,
    selectMoved: (afterEvent) => moved.all(afterEvent) as RunName[],
  };
}
