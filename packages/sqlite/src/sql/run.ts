import type { HeadRow, RowMoves } from "@tm/run-events-core/store";
import { prepareStatement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";
import { RUN_COLUMNS } from "./columns.ts";
import { prepareRemains, type Remains } from "./remains.ts";

/** The moves that find, create and remove runs. */
type RunMoves = Pick<RowMoves, "selectHeads" | "insertRun" | "deleteRuns">;

/** Prepares the moves. A run's events and receipts are removed with it; those of a long run follow piece by piece. */
export function prepareRun(db: SqliteDatabase, tables: Tables): RunMoves & Remains {
  const { runs } = tables;
  const selectOne = prepareStatement(db, `SELECT ${RUN_COLUMNS} FROM ${runs} WHERE run_id = ?`);
  // Many in one statement take less time. CROSS makes the planner begin with the ids, for tables of any size.
  const selectMany = prepareStatement(
    db,
    `SELECT ${RUN_COLUMNS} FROM json_each(?) CROSS JOIN ${runs} ON run_id = value`,
  );
  const insert = prepareStatement(
    db,
    `INSERT INTO ${runs} (run_id, owner_id, run_status, phase, last_sequence, created_at_ms, updated_at_ms, metadata, topic, idle_from_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING run_key AS ordinal`,
  );
  const remove = prepareStatement(
    db,
    `DELETE FROM ${runs} WHERE run_key = ? AND finished_at_ms >= 0`,
  );
  const remains = prepareRemains(db, tables);
  return {
    selectHeads(runIds) {
      if (runIds.length > 1) return selectMany.all(JSON.stringify(runIds)) as HeadRow[];
      const row = selectOne.get(runIds[0] ?? "") as HeadRow | undefined;
      return row === undefined ? [] : [row];
    },
    insertRun(run) {
      const { runId, ownerId, runStatus, phase, lastSequence, createdAtMs, updatedAtMs } = run;
      const head = [runStatus, phase, lastSequence, createdAtMs, updatedAtMs];
      const row = insert.get(runId, ownerId, ...head, run.metadata, run.topic, run.idleFromMs);
      return (row as { readonly ordinal: number }).ordinal;
    },
    deleteRuns(ordinals) {
      for (const ordinal of ordinals) {
        remains.behead(ordinal);
        remove.run(ordinal);
      }
    },
    ...remains,
  };
}
