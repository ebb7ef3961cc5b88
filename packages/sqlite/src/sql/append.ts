import type { EventRow, HeadRow, MovedHead, RowMoves } from "@tm/run-events-core/store";
import { prepareStatement, type Statement } from "../handle.ts";
import type { SqliteDatabase, SqliteValue } from "../driver.ts";
import type { Tables } from "../tables.ts";

/** How many rows one statement inserts: a Durable Object allows a statement 100 parameters, and a row has 5. */
const ROWS_AT_ONCE = 20;

/** The writes of an append, of a lease and of the time since when a run is idle. */
type AppendMoves = Pick<RowMoves, "insertEvents" | "insertReceipts" | "saveHeads">;

/** Prepares the writes. Most appends change no indexed column of a head, and so update no index. */
export function prepareAppend(db: SqliteDatabase, tables: Tables): AppendMoves {
  const { runs, receipts } = tables;
  const advance = prepareStatement(
    db,
    `UPDATE ${runs} SET last_sequence = ?, updated_at_ms = ? WHERE run_key = ?`,
  );
  const update = prepareStatement(
    db,
    `UPDATE ${runs} SET run_status = ?, phase = ?, last_sequence = ?, updated_at_ms = ?, finished_at_ms = ?
     WHERE run_key = ?`,
  );
  const setLease = prepareStatement(
    db,
    `UPDATE ${runs} SET fence = ?, lease_expires_at_ms = ?, claim_key = ?, worker = ?, worker_fence = ?, idle_from_ms = ? WHERE run_key = ?`,
  );
  const insertReceipt = prepareStatement(
    db,
    `INSERT INTO ${receipts} (run_key, idempotency_key, first_sequence, last_sequence, run_status, phase)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );

  function saveHead({ before, after }: MovedHead<HeadRow>): void {
    const { runStatus, phase, lastSequence, updatedAtMs, finishedAtMs, ordinal } = after;
    const { fence, leaseExpiresAtMs, keptClaim, worker, idleFromMs } = after;
    if (
      fence !== before.fence ||
      leaseExpiresAtMs !== before.leaseExpiresAtMs ||
      keptClaim !== before.keptClaim ||
      worker !== before.worker ||
      idleFromMs !== before.idleFromMs
    ) {
      const workerFence = worker === null ? null : fence;
      const lease = [fence, leaseExpiresAtMs, keptClaim, worker, workerFence];
      setLease.run(...lease, idleFromMs, ordinal);
    }
    if (runStatus !== before.runStatus || phase !== before.phase) {
      update.run(runStatus, phase, lastSequence, updatedAtMs, finishedAtMs, ordinal);
    } else if (lastSequence !== before.lastSequence) {
      advance.run(lastSequence, updatedAtMs, ordinal);
    }
  }

  return {
    insertEvents: prepareInsertEvents(db, tables),
    insertReceipts(rows) {
      for (const { ordinal, idempotencyKey, firstSequence, lastSequence, ...state } of rows) {
        const { runStatus, phase } = state;
        insertReceipt.run(ordinal, idempotencyKey, firstSequence, lastSequence, runStatus, phase);
      }
    },
    saveHeads: (moved) => moved.forEach(saveHead),
  };
}

/**
 * Inserts many rows of one run with one statement, which takes less time than one by one. Rows of several runs would take more: a
 * statement of several rows can fail half-way, so SQLite copies each page that it changes, and every run has its own index page.
 */
function prepareInsertEvents(db: SqliteDatabase, { events }: Tables): RowMoves["insertEvents"] {
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
    let at = 0;
    while (at < rows.length) {
      const isMany = rows[at + ROWS_AT_ONCE - 1]?.ordinal === rows[at]?.ordinal;
      const values: SqliteValue[] = [];
      const end = isMany ? at + ROWS_AT_ONCE : at + 1;
      for (; at < end; at++) addValues(values, rows[at]);
      (isMany ? insertMany : insertOne).run(...values);
    }
  };
}

function addValues(values: SqliteValue[], row: EventRow | undefined): void {
  if (row === undefined) return;
  const { ordinal, sequence, eventType, payload, createdAtMs } = row;
  values.push(ordinal, sequence, eventType, payload, createdAtMs);
}
