import type { RunStatus } from "@tm/run-events-core";
import type { Head } from "@tm/run-events-core/store";
import type { Tables } from "../tables.ts";

/** The server's clock at the start of the statement, in milliseconds since 1970. All uses in a statement are the same time. */
export const NOW_MS = "(extract(epoch FROM statement_timestamp()) * 1000)::bigint";

/** The server's clock at this moment, which is later if the statement has waited for a lock. */
export const CLOCK_MS = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/**
 * Fails on a standby, which may lack what was acknowledged (clause S10 in `STORE.md`). It is evaluated once for each statement. A
 * connection may reach a standby at any time, as in a failover; behind a pooler, from one statement to the next. The function that a
 * standby refuses is called only on a standby. `pg_current_wal_lsn()` would fail there too, but it also fails on the primary of Amazon
 * Aurora.
 */
export const ON_PRIMARY =
  "(SELECT CASE WHEN pg_is_in_recovery() THEN pg_current_xact_id() IS NOT NULL ELSE true END)";

/** Separates the values of a column. */
const SEPARATOR = "\x1f";

/** Columns that are sent as one text each; an empty value is NULL. */
export function texts(...columns: readonly string[]): string {
  const separator = `chr(${SEPARATOR.charCodeAt(0)})`;
  return columns.map((column) => `string_to_array(${column}, ${separator}, '')`).join(", ");
}

/** Columns of numbers, each sent as the text of an array, so that no driver takes it apart. */
export function numbers(type: "int" | "bigint", ...columns: readonly string[]): string {
  return columns.map((column) => `${column}::text::${type}[]`).join(", ");
}

/**
 * A column as one text. pg would escape each value of an array by itself, which costs much of an append. No value contains the
 * separator: ids, types and keys have no control characters, and JSON has them only escaped. `null` is an empty text, since no
 * value is empty.
 */
export function joined(values: readonly unknown[]): string {
  return values.join(SEPARATOR);
}

/** A column of numbers as the text of an array. */
export function listed(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? "NULL").join(",")}}`;
}

/** A head's columns but its metadata, named as in core's heads. */
export function headColumns(row: string): string {
  return `${row}.owner_id AS "ownerId", ${row}.run_id AS "runId", ${row}.run_key AS ordinal, ${row}.revision,
  ${row}.run_status AS "runStatus", ${row}.phase, ${row}.last_sequence AS "lastSequence", ${row}.updated_at_ms AS "updatedAtMs",
  ${row}.fence, ${row}.lease_expires_at_ms AS "leaseExpiresAtMs", ${row}.topic, ${row}.exclusive, ${row}.due_ms AS "dueMs", ${row}.extra`;
}

/** The columns that a change may save, besides `due_kind`. */
export const SAVED_COLUMNS =
  "revision, run_status, phase, last_sequence, updated_at_ms, fence, lease_expires_at_ms, due_kind, due_ms, extra";

export const RUN_COLUMNS: string = `run_key, owner_id, run_id, topic, exclusive, metadata, ${SAVED_COLUMNS}`;

export const EVENT_COLUMNS =
  "run_key, sequence, event_type, payload, created_at_ms, idempotency_key, key_events, key_status, key_phase";

/** Inserts nothing, but fails without such a valid unique index: an append must not continue without it (clause S5 in `STORE.md`). */
export function needsUnique(table: string, columns: string, unique: string): string {
  return `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${table} WHERE false ON CONFLICT (${unique} DO NOTHING`;
}

/** As `needsUnique`, for the index of the keys. */
export function needsKeyIndex({ events }: Tables): string {
  const unique = "run_key, idempotency_key) WHERE idempotency_key IS NOT NULL";
  return needsUnique(events, EVENT_COLUMNS, unique);
}

/** A bigint column: pg gives it as text, PGlite as a number. */
export type BigintColumn = string | number;

/** A row of {@link headColumns}. */
export interface HeadRow {
  readonly ownerId: string;
  readonly runId: string;
  readonly ordinal: BigintColumn;
  readonly revision: BigintColumn;
  readonly runStatus: RunStatus;
  readonly phase: string | null;
  readonly lastSequence: BigintColumn;
  readonly updatedAtMs: BigintColumn;
  readonly fence: BigintColumn;
  readonly leaseExpiresAtMs: BigintColumn | null;
  readonly topic: string | null;
  readonly exclusive: boolean;
  readonly dueMs: BigintColumn;
  readonly extra: string;
  readonly metadata?: string | null;
}

/** The head of a row, with nothing else that the row may have. */
export function headOf(row: HeadRow): Head {
  const { ownerId, runId, runStatus, phase, topic, exclusive, extra, metadata } = row;
  const { leaseExpiresAtMs } = row;
  return {
    ownerId,
    runId,
    ordinal: Number(row.ordinal),
    revision: Number(row.revision),
    runStatus,
    phase,
    lastSequence: Number(row.lastSequence),
    updatedAtMs: Number(row.updatedAtMs),
    fence: Number(row.fence),
    leaseExpiresAtMs: leaseExpiresAtMs === null ? null : Number(leaseExpiresAtMs),
    topic,
    exclusive,
    dueMs: Number(row.dueMs),
    extra,
    ...(typeof metadata === "string" ? { metadata } : {}),
  };
}
