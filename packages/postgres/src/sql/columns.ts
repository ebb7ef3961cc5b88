import type { RunStatus } from "@tm/run-events-core";
import type { RunRecord } from "@tm/run-events-core/store";
import type { Tables } from "../tables.ts";

/** The server's clock at the start of the statement, in milliseconds since 1970. All uses in a statement are the same time. */
export const NOW_MS = "(extract(epoch FROM statement_timestamp()) * 1000)::bigint";

/**
 * Fails on a standby, which may lack what was acknowledged (clause S10 in `STORE.md`). It is evaluated once for each statement. A
 * connection may reach a standby at any time, as in a failover; behind a pooler, from one statement to the next. The function that a
 * standby refuses is called only on a standby. `pg_current_wal_lsn()` would fail there too, but it also fails on the primary of Amazon
 * Aurora.
 */
export const ON_PRIMARY =
  "(SELECT CASE WHEN pg_is_in_recovery() THEN pg_current_xact_id() IS NOT NULL ELSE true END)";

/** Separates the values of a column. */
export const SEPARATOR = "\x1f";

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
 * A run's columns, named as in core's record. Drivers give a bigint as text or as a number.
 * @param metadata the SQL of the metadata, which may be long
 */
export function runColumns(row: string, metadata: string = `${row}.metadata`): string {
  return `${row}.run_id AS "runId", ${row}.owner_id AS "ownerId", ${row}.run_status AS "runStatus", ${row}.phase,
  ${row}.last_sequence AS "lastSequence", ${row}.run_key AS ordinal, ${row}.created_at_ms AS "createdAtMs",
  ${row}.updated_at_ms AS "updatedAtMs", ${row}.finished_at_ms AS "finishedAtMs", ${metadata} AS metadata, ${row}.topic,
  ${row}.idle_from_ms AS "idleFromMs",
  ${row}.fence, ${row}.lease_expires_at_ms AS "leaseExpiresAtMs",
  CASE WHEN ${row}.lease_expires_at_ms IS NOT NULL AND ${row}.worker_fence = ${row}.fence THEN ${row}.worker END AS worker`;
}

export const RUN_COLUMNS =
  "run_id, owner_id, run_status, phase, last_sequence, created_at_ms, updated_at_ms, idle_from_ms, metadata, topic, exclusive";

export const EVENT_COLUMNS =
  "run_key, sequence, event_type, payload, created_at_ms, idempotency_key, key_events, key_status, key_phase";

/** SQL: since when the run is idle. It is core's `idleSince`. */
export function idleSince(row: string): string {
  return `CASE ${row}.run_status WHEN 'queued' THEN ${row}.created_at_ms ELSE greatest(${row}.idle_from_ms, ${row}.updated_at_ms) END`;
}

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

/** A run's row as the drivers give it. */
export interface RunRow {
  readonly runId: string;
  readonly ownerId: string;
  readonly runStatus: RunStatus;
  readonly phase: string | null;
  readonly lastSequence: BigintColumn;
  readonly ordinal: BigintColumn;
  readonly createdAtMs: BigintColumn;
  readonly updatedAtMs: BigintColumn;
  readonly finishedAtMs: BigintColumn | null;
  readonly metadata: string;
  readonly topic: string | null;
  readonly idleFromMs: BigintColumn;
  readonly fence: BigintColumn;
  readonly leaseExpiresAtMs: BigintColumn | null;
  readonly worker: string | null;
}

/** A row as core's record, with nothing else that the row may have. */
export function runOf(row: RunRow): RunRecord {
  const { runId, ownerId, runStatus, phase, metadata, topic, worker } = row;
  return {
    runId,
    ownerId,
    runStatus,
    phase,
    lastSequence: Number(row.lastSequence),
    ordinal: Number(row.ordinal),
    createdAtMs: Number(row.createdAtMs),
    updatedAtMs: Number(row.updatedAtMs),
    finishedAtMs: row.finishedAtMs === null ? null : Number(row.finishedAtMs),
    metadata,
    topic,
    idleFromMs: Number(row.idleFromMs),
    fence: Number(row.fence),
    leaseExpiresAtMs: row.leaseExpiresAtMs === null ? null : Number(row.leaseExpiresAtMs),
    worker,
  };
}
