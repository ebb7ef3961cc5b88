import type { ReceiptRow, RowMoves } from "@tm/run-events-core/store";
import { prepareStatement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";

/** Prepares the statement that finds the receipts of keys. */
export function prepareReceipts(
  db: SqliteDatabase,
  { receipts }: Tables,
): Pick<RowMoves, "selectReceipts"> {
  const select = prepareStatement(
    db,
    `SELECT run_key AS ordinal, idempotency_key AS idempotencyKey, first_sequence AS firstSequence,
       last_sequence AS lastSequence, run_status AS runStatus, phase
     FROM ${receipts} WHERE run_key = ? AND idempotency_key = ?`,
  );
  return {
    selectReceipts: (keys) =>
      keys.flatMap(({ ordinal, idempotencyKey }) => {
        const row = select.get(ordinal, idempotencyKey) as ReceiptRow | undefined;
        return row === undefined ? [] : [row];
      }),
  };
}
