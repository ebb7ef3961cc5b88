import type { RunPosition } from "@tm/run-events-core/store";
import { prepareStatement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";

/** The statements of a poll for the commits of other connections. */
export interface Positions {
  /** Changes with every commit of another connection, and with none of this one. */
  dataVersion(): number;
  selectPositions(runIds: readonly string[]): readonly RunPosition[];
}

/** Prepares the statements of a poll. */
export function preparePositions(db: SqliteDatabase, { runs }: Tables): Positions {
  const version = prepareStatement(db, "PRAGMA data_version");
  const select = prepareStatement(
    db,
    `SELECT run_id AS runId, run_key AS ordinal, last_sequence AS lastSequence
     FROM json_each(?) JOIN ${runs} ON run_id = value`,
  );
  return {
    dataVersion: () => (version.get() as { readonly data_version: number }).data_version,
    selectPositions: (runIds) => select.all(JSON.stringify(runIds)) as RunPosition[],
  };
}
