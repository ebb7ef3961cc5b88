/** The names of the store's schema and tables, quoted. */
export interface Tables {
  readonly schema: string;
  readonly runs: string;
  readonly events: string;
  readonly migrations: string;
}

const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * The names of a schema's tables.
 * @throws TypeError unless the schema is a lower-case identifier of at most 63 characters that Postgres does not reserve
 */
export function tablesOf(schema: string): Tables {
  if (!SCHEMA_NAME.test(schema) || schema.startsWith("pg_")) {
    throw new TypeError(`Expected \`schema\` to match ${SCHEMA_NAME.source}, got \`${schema}\`.`);
  }
  return {
    schema: `"${schema}"`,
    runs: `"${schema}".runs`,
    events: `"${schema}".events`,
    migrations: `"${schema}".migrations`,
  };
}

/** The unique index that makes an idempotency key land once. A rebuild may rename it, for a while or permanently. */
export const KEY_INDEX = "events_by_key";

/** The index of the events' primary key. A rebuild appends to its name. */
export const EVENTS_PRIMARY_KEY = "events_pkey";
