import { prepareStatement, type SqliteDatabase, type Statement } from "./driver.ts";
import type { Tables } from "./tables.ts";

/** How many rows `insertEvents` takes. */
export const ROWS_AT_ONCE = 16;

/** The store's statements, each made once. Rows are named as core's records. */
export interface Statements {
  readonly selectRun: Statement;
  readonly selectRuns: Statement;
  readonly insertRun: Statement;
  readonly updateRun: Statement;
  readonly advanceRun: Statement;
  readonly setLease: Statement;
  readonly selectClaimKey: Statement;
  readonly setClaim: Statement;
  readonly deleteRun: Statement;
  readonly listRuns: Statement;
  readonly listRunsByStatus: Statement;
  readonly listExpired: Statement;
  readonly selectFinished: Statement;
  readonly insertEvent: Statement;
  readonly insertEvents: Statement;
  readonly selectEvents: Statement;
  /** As `selectEvents`, with `null` for payloads of more bytes than the first value. */
  readonly selectSmallEvents: Statement;
  readonly selectPhase: Statement;
  readonly selectReceipt: Statement;
  readonly insertReceipt: Statement;
  readonly selectBatch: Statement;
  readonly selectHeads: Statement;
  readonly insertProbe: Statement;
  readonly deleteProbes: Statement;
  readonly dataVersion: Statement;
}

const RUN_COLUMNS = `run_id AS runId, owner_id AS ownerId, run_status AS runStatus, phase,
  last_sequence AS lastSequence, run_key AS ordinal, created_at_ms AS createdAtMs,
  updated_at_ms AS updatedAtMs, finished_at_ms AS finishedAtMs, metadata,
  fence, lease_expires_at_ms AS leaseExpiresAtMs`;

/**
 * Prepares the statements; the tables must be there.
 *
 * SQLite compiles a statement anew whenever a parameter is bound whose value its planner has looked at: a `LIMIT`, and with
 * `SQLITE_ENABLE_STAT4`, as better-sqlite3 is built, the bounds of a range and what stands beside them. It does not look into
 * an expression, so there they are `+?` and `? + 0`: a short page took 37 µs and takes 18, a list of runs 40 and 12.
 * @see https://www.sqlite.org/c3ref/prepare.html
 */
export function prepareStatements(db: SqliteDatabase, tables: Tables): Statements {
  const { runs, events, receipts, probes } = tables;
  const prepare = (sql: string): Statement => prepareStatement(db, sql);
  const selectEvents = (payload: string): string =>
    `SELECT sequence, event_type AS eventType, ${payload}, created_at_ms AS createdAtMs,
       octet_length(payload) AS payloadBytes
     FROM ${events} WHERE run_key = +? AND sequence > +? ORDER BY sequence LIMIT ? + 0`;
  const insertEvents = `INSERT INTO ${events} (run_key, sequence, event_type, phase, payload, created_at_ms) VALUES`;
  return {
    selectRun: prepare(`SELECT ${RUN_COLUMNS} FROM ${runs} WHERE run_id = ?`),
    // CROSS: the ids first, whatever the planner makes of the tables' sizes.
    selectRuns: prepare(
      `SELECT ${RUN_COLUMNS} FROM json_each(?) CROSS JOIN ${runs} ON run_id = value`,
    ),
    insertRun: prepare(
      `INSERT INTO ${runs} (run_id, owner_id, run_status, phase, last_sequence, created_at_ms, updated_at_ms, metadata)
       VALUES (?, ?, ?, ?, 0, ?, ?, ?) RETURNING ${RUN_COLUMNS}`,
    ),
    updateRun: prepare(
      `UPDATE ${runs} SET run_status = ?, phase = ?, last_sequence = ?, updated_at_ms = ?, finished_at_ms = ?
       WHERE run_key = ?`,
    ),
    advanceRun: prepare(
      `UPDATE ${runs} SET last_sequence = ?, updated_at_ms = ? WHERE run_key = ?`,
    ),
    setLease: prepare(`UPDATE ${runs} SET fence = ?, lease_expires_at_ms = ? WHERE run_key = ?`),
    selectClaimKey: prepare(`SELECT claim_key AS claimKey FROM ${runs} WHERE run_key = ?`),
    setClaim: prepare(
      `UPDATE ${runs} SET fence = ?, lease_expires_at_ms = ?, claim_key = ? WHERE run_key = ?`,
    ),
    deleteRun: prepare(`DELETE FROM ${runs} WHERE run_key = ?`),
    listRuns: prepare(
      `SELECT ${RUN_COLUMNS} FROM ${runs} WHERE run_key IN (
         SELECT run_key FROM ${runs} WHERE owner_id = +? AND run_key < +?
         ORDER BY run_key DESC LIMIT ? + 0)
       ORDER BY run_key`,
    ),
    listRunsByStatus: prepare(
      `SELECT ${RUN_COLUMNS} FROM ${runs} WHERE run_key IN (
         SELECT run_key FROM ${runs} WHERE owner_id = +? AND run_key < +? AND run_status = +?
         ORDER BY run_key DESC LIMIT ? + 0)
       ORDER BY run_key`,
    ),
    listExpired: prepare(
      `SELECT run_id AS runId FROM ${runs} WHERE lease_expires_at_ms <= +?
       ORDER BY lease_expires_at_ms LIMIT ? + 0`,
    ),
    selectFinished: prepare(
      `SELECT run_id AS runId, run_key AS ordinal, last_sequence AS lastSequence FROM ${runs}
       WHERE finished_at_ms <= +? ORDER BY finished_at_ms LIMIT ? + 0`,
    ),
    insertEvent: prepare(`${insertEvents} (?, ?, ?, ?, ?, ?)`),
    insertEvents: prepare(
      `${insertEvents} ${Array.from({ length: ROWS_AT_ONCE }, () => "(?, ?, ?, ?, ?, ?)").join()}`,
    ),
    selectEvents: prepare(selectEvents("payload")),
    selectSmallEvents: prepare(
      selectEvents("CASE WHEN octet_length(payload) <= ? THEN payload END AS payload"),
    ),
    selectPhase: prepare(
      `SELECT phase FROM ${events} WHERE run_key = +? AND sequence <= +? AND phase IS NOT NULL
       ORDER BY sequence DESC LIMIT 1`,
    ),
    selectReceipt: prepare(
      `SELECT first_sequence AS firstSequence, last_sequence AS lastSequence, phase
       FROM ${receipts} WHERE run_key = ? AND idempotency_key = ?`,
    ),
    insertReceipt: prepare(
      `INSERT INTO ${receipts} (run_key, idempotency_key, first_sequence, last_sequence, phase)
       VALUES (?, ?, ?, ?, ?)`,
    ),
    selectBatch: prepare(
      `SELECT event_type AS eventType, payload FROM ${events}
       WHERE run_key = +? AND sequence BETWEEN +? AND +? ORDER BY sequence`,
    ),
    selectHeads: prepare(
      `SELECT run_id AS runId, run_key AS ordinal, last_sequence AS lastSequence
       FROM json_each(?) JOIN ${runs} ON run_id = value`,
    ),
    // Longer than a page, so that a database that may not grow refuses it.
    insertProbe: prepare(`INSERT INTO ${probes} (filling) VALUES (zeroblob(8192))`),
    deleteProbes: prepare(`DELETE FROM ${probes}`),
    dataVersion: prepare("PRAGMA data_version"),
  };
}
