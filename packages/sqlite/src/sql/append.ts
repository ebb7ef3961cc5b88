import type { SyncRows } from "@tm/run-events-core/store";
import { prepareStatement, type Statement } from "../handle.ts";
import type { SqliteDatabase, SqliteValue } from "../driver.ts";
import type { Tables } from "../tables.ts";

type Receipt = ReturnType<SyncRows["selectReceipts"]>[number];

/** The number of rows that one statement inserts: a Durable Object allows a statement 100 parameters, and a row has 5. */
const ROWS_AT_ONCE = 20;

/** Prepares the methods that append, and find the receipts of earlier appends. */
export function prepareAppend(
  db: SqliteDatabase,
  tables: Tables,
): Pick<SyncRows, "insertEvents" | "insertReceipts" | "selectReceipts"> {
  const { receipts } = tables;
  const insert = prepareStatement(
    db,
    `INSERT INTO ${receipts} (run_key, idempotency_key, first_sequence, last_sequence, run_status, phase)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const select = prepareStatement(
    db,
    `SELECT idempotency_key AS idempotencyKey, first_sequence AS firstSequence, last_sequence AS lastSequence,
       run_status AS runStatus, phase
     FROM ${receipts} WHERE run_key = ? AND idempotency_key = ?`,
  );
  return {
    insertEvents: prepareInsertEvents(db, tables),
    insertReceipts(rows) {
      for (const { ordinal, idempotencyKey, firstSequence, lastSequence, runStatus, phase } of rows)
        insert.run(ordinal, idempotencyKey, firstSequence, lastSequence, runStatus, phase);
    },
    selectReceipts: (ordinal, keys) =>
      keys.flatMap((key) => (select.get(ordinal, key) as Receipt | undefined) ?? []),
  };
}

/**
 * Inserts many rows of one run with one statement, which takes less time than one by one. Rows of several runs would take more: a
 * statement of several rows can fail half-way, so SQLite copies each page that it changes, and every run has its own index page.
 */
function prepareInsertEvents(db: SqliteDatabase, { events }: Tables): SyncRows["insertEvents"] {
  const insert = (rows: number): Statement => {
    const values = Array.from({ length: rows }, () => "(?, ?, ?, ?, ?)").join();
    return prepareStatement(
      db,
      `INSERT INTO ${events} (run_key, sequence, event_type, payload, created_at_ms) VALUES ${values}`,
    );
  };
  const insertOne = insert(1);
  const insertMany = insert(ROWS_AT_ONCE);
  return (rows) => {
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at];
      if (row === undefined) break;
      if (rows[at + ROWS_AT_ONCE - 1]?.ordinal !== row.ordinal) {
        insertOne.run(...valuesOf(row));
        continue;
      }
      insertMany.run(...rows.slice(at, at + ROWS_AT_ONCE).flatMap(valuesOf));
      at += ROWS_AT_ONCE - 1;
    }
  };
}

function valuesOf(row: Parameters<SyncRows["insertEvents"]>[0][number]): readonly SqliteValue[] {
  const { ordinal, sequence, eventType, payload, createdAtMs } = row;
  return [ordinal, sequence, eventType, payload, createdAtMs];
}
