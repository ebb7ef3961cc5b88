import type { OwnedRun, RunPosition } from "@tm/run-events-core/store";
import { prepareStatement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";

/** The statements of a poll for the commits of other connections. */
export interface Positions {
  /** Changes with every commit of another connection, and with none of this one. */
  dataVersion(): number;
  selectPositions(runIds: readonly string[]): readonly RunPosition[];
  /** The key of the newest event. A key may come again, after the newest events were removed. */
  lastEvent(): number;
  /** The runs that have events after that key, by which they are found: neither all runs nor all events matter. */
  selectMoved(afterEvent: number): readonly OwnedRun[];
}

/** The most events that a poll looks at. */
const MOST_EVENTS = 1_000;

/** Prepares the statements of a poll. */
export function preparePositions(db: SqliteDatabase, { runs, events }: Tables): Positions {
  const version = prepareStatement(db, "PRAGMA data_version");
  const select = prepareStatement(
    db,
    `SELECT run_id AS runId, run_key AS ordinal, last_sequence AS lastSequence
     FROM json_each(?) JOIN ${runs} ON run_id = value`,
  );
  const last = prepareStatement(db, `SELECT coalesce(max(rowid), 0) AS event FROM ${events}`);
  const moved = prepareStatement(
    db,
    `SELECT run_id AS runId, owner_id AS ownerId FROM ${runs} WHERE run_key IN (
       SELECT run_key FROM ${events} WHERE rowid > +? ORDER BY rowid LIMIT ${MOST_EVENTS})`,
  );
  return {
    dataVersion: () => (version.get() as { readonly data_version: number }).data_version,
    selectPositions: (runIds) => select.all(JSON.stringify(runIds)) as RunPosition[],
    lastEvent: () => (last.get() as { readonly event: number }).event,
    selectMoved: (afterEvent) => moved.all(afterEvent) as OwnedRun[],
  };
}
