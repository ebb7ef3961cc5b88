import type { HeadRow, RowMoves } from "@tm/run-events-core/store";
import { prepareStatement, type Statement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";
import { RUN_COLUMNS } from "./columns.ts";

/**
 * Prepares the list of an owner's runs, from an index for any status. The rows come oldest first, since SQLite finds the next row at
 * once, but the previous one only through the whole depth of the tree.
 * @see clause S12 in `STORE.md`
 */
export function prepareList(db: SqliteDatabase, { runs }: Tables): Pick<RowMoves, "selectOwned"> {
  const list = (condition: string): Statement =>
    prepareStatement(
      db,
      `SELECT ${RUN_COLUMNS} FROM ${runs} WHERE run_key IN (
         SELECT run_key FROM ${runs} WHERE owner_id = +? AND run_key < +? ${condition}
         ORDER BY run_key DESC LIMIT ? + 0)
       ORDER BY run_key`,
    );
  const listAll = list("");
  const listByStatus = list("AND run_status = +?");
  return {
    selectOwned({ ownerId, runStatus, before, limit }) {
      const range = [ownerId, before ?? Number.MAX_SAFE_INTEGER];
      const rows =
        runStatus === null
          ? listAll.all(...range, limit)
          : listByStatus.all(...range, runStatus, limit);
      return (rows as HeadRow[]).toReversed();
    },
  };
}
