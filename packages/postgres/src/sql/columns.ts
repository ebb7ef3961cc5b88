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

/** A column of a run's row: its name, its type, and whether a change may save it again. */
type Column = readonly [name: string, type: "bigint" | "boolean" | "text", saved?: "saved"];

/** A run's row, by the members of core's heads: all that the statements and their parameters need to know of a column. */
const COLUMNS = {
  ordinal: ["run_key", "bigint"],
  ownerId: ["owner_id", "text"],
  runId: ["run_id", "text"],
  topic: ["topic", "text"],
  exclusive: ["exclusive", "boolean"],
  metadata: ["metadata", "text"],
  revision: ["revision", "bigint", "saved"],
  runStatus: ["run_status", "text", "saved"],
  phase: ["phase", "text", "saved"],
  lastSequence: ["last_sequence", "bigint", "saved"],
  updatedAtMs: ["updated_at_ms", "bigint", "saved"],
  fence: ["fence", "bigint", "saved"],
  leaseExpiresAtMs: ["lease_expires_at_ms", "bigint", "saved"],
  dueKind: ["due_kind", "text", "saved"],
  dueMs: ["due_ms", "bigint", "saved"],
  extra: ["extra", "text", "saved"],
} as const satisfies Record<keyof Required<Head> | "dueKind", Column>;

const ALL = Object.entries(COLUMNS) as [keyof typeof COLUMNS, Column][];
const SAVED = ALL.filter(([, [, , saved]]) => saved !== undefined);
/** The members of a head, without its metadata. */
const OF_HEAD = ALL.filter(([member]) => member !== "dueKind" && member !== "metadata");

export const RUN_COLUMNS: string = ALL.map(([, [name]]) => name).join(", ");
/** The columns that a change may save. */
export const SAVED_COLUMNS: string = SAVED.map(([, [name]]) => name).join(", ");

/** The values for {@link RUN_COLUMNS} of the row `q`, which is named as {@link RUN_MEMBERS}. */
export const RUN_VALUES: string = ALL.map(([member]) => `q."${member}"`).join(", ");
/** The values for {@link SAVED_COLUMNS} of the same row. */
export const SAVED_VALUES: string = SAVED.map(([member]) => `q."${member}"`).join(", ");

/** SQL: the columns of a row whose names are the members, with their types. */
export const RUN_MEMBERS: string = ALL.map(([member, [, type]]) => `"${member}" ${type}`).join(
  ", ",
);

/** SQL: a head's columns but its metadata, named as in core's heads. */
export function headColumns(row: string): string {
  return OF_HEAD.map(([member, [name]]) => `${row}.${name} AS "${member}"`).join(", ");
}

/** SQL: values in the order of a head's columns; NULL for columns without one. */
export function inHeadColumns(values: Partial<Record<keyof Head, string>>): string {
  return OF_HEAD.map(([member]) => values[member as keyof Head] ?? "NULL").join(", ");
}

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

/** A row of {@link headColumns}, maybe with the metadata. */
export type HeadRow = {
  readonly [Member in keyof Head]: Member extends "metadata"
    ? string | null
    : number extends Head[Member]
      ? BigintColumn | Extract<Head[Member], null>
      : Head[Member];
};

/** The head of a row, with nothing else that the row may have. */
export function headOf(row: HeadRow): Head {
  const head: Partial<Record<keyof Head, unknown>> = {};
  for (const [member, [, type]] of OF_HEAD as [keyof Head, Column][]) {
    const value = row[member];
    head[member] = type === "bigint" && value !== null ? Number(value) : value;
  }
  if (typeof row.metadata === "string") head.metadata = row.metadata;
  return head as Head;
}
