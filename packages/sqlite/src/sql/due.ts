import type { SyncRows } from "@tm/run-events-core/store";
import { prepareStatement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";
import { HEAD_COLUMNS, type HeadRow, headOfRow } from "./columns.ts";

/** Prepares the list of due runs, from its index. */
export function prepareDue(db: SqliteDatabase, { runs }: Tables): Pick<SyncRows, "selectDue"> {
  const select = prepareStatement(
    db,
    `SELECT ${HEAD_COLUMNS} FROM ${runs} WHERE due_kind = +? AND due_ms <= +? ORDER BY due_ms LIMIT ? + 0`,
  );
  return {
    selectDue: (due, untilMs, limit) =>
      (select.all(due, untilMs, limit) as HeadRow[]).map(headOfRow),
  };
}
