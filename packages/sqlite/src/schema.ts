import { RunEventsError } from "@tm/run-events-core";
import { prepareStatement } from "./handle.ts";
import type { SqliteDatabase } from "./driver.ts";
import type { Tables } from "./tables.ts";
import type { Transactions } from "./transactions.ts";

/**
 * The number of this program's format of tables. It changes only with what other programs cannot work with; `migrate` may add an index or a
 * table without that.
 * @see clause S19 in `STORE.md`
 */
const FORMAT = 5;

// Events have a rowid, so that the events of a group fill the same pages, even of many runs. A table clustered by run allows
// about half as many appends. An append changes no indexed column of a run, unless it changes what the run waits for.
function createTables({ runs, events, receipts, probes, schema }: Tables): string {
  return `
  CREATE TABLE ${runs} (
    run_key INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    run_status TEXT NOT NULL,
    phase TEXT,
    last_sequence INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    lease_expires_at_ms INTEGER,
    topic TEXT,
    exclusive INTEGER NOT NULL,
    due_kind TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    extra TEXT NOT NULL,
    metadata TEXT NOT NULL,
    UNIQUE (owner_id, run_id)
  ) STRICT;
  CREATE INDEX ${runs}_by_owner ON ${runs} (owner_id, run_key);
  CREATE INDEX ${runs}_by_status ON ${runs} (owner_id, run_status, run_key);
  CREATE INDEX ${runs}_by_topic ON ${runs} (owner_id, topic, run_key) WHERE topic IS NOT NULL;
  CREATE INDEX ${runs}_by_topic_status ON ${runs} (owner_id, topic, run_status, run_key) WHERE topic IS NOT NULL;
  CREATE INDEX ${runs}_by_due ON ${runs} (due_kind, due_ms);
  CREATE TABLE ${events} (
    run_key INTEGER NOT NULL REFERENCES ${runs} ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (run_key, sequence)
  ) STRICT;
  CREATE TABLE ${receipts} (
    run_key INTEGER NOT NULL REFERENCES ${runs} ON DELETE CASCADE,
    idempotency_key TEXT NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    run_status TEXT NOT NULL,
    phase TEXT,
    PRIMARY KEY (run_key, idempotency_key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE ${probes} (
    probe_key INTEGER PRIMARY KEY,
    filling BLOB NOT NULL
  ) STRICT;
  CREATE TABLE ${schema} (migration INTEGER PRIMARY KEY) STRICT;
  INSERT INTO ${schema} VALUES (${FORMAT});`;
}

/**
 * Passes if all tables exist. Without one of its indexes a table is only slow.
 * @throws the driver's error, with the name of the missing one
 * @see clause S31 in `STORE.md`
 */
export function checkTables(db: SqliteDatabase, { runs, events, receipts, probes }: Tables): void {
  prepareStatement(db, `SELECT 1 FROM ${runs}, ${events}, ${receipts}, ${probes} LIMIT 0`).all();
}

/**
 * Whether the database has tables of this program's format.
 * @throws RunEventsError `store_unavailable`, not retryable, for tables of another format. Also the driver's error, if one is missing
 */
function hasTables(db: SqliteDatabase, tables: Tables): boolean {
  const exists = prepareStatement(
    db,
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
  );
  if (exists.get(tables.schema) === undefined) return false;
  const { format } = prepareStatement(
    db,
    `SELECT max(migration) AS format FROM ${tables.schema}`,
  ).get() as { readonly format: number };
  if (format !== FORMAT) {
    throw new RunEventsError(
      "store_unavailable",
      `Expected tables of format ${FORMAT}, got the ${format < FORMAT ? "older" : "newer"} format ${format}, which this program cannot read. Use the program that made them, or let this one make new tables in another file, or in code under another \`tablePrefix\`.`,
      { retryable: false },
    );
  }
  checkTables(db, tables);
  return true;
}

/**
 * Passes if the database has all tables, in this program's format. Also throws what the driver throws.
 * @throws RunEventsError `store_unavailable`, not retryable
 * @see clause S19 in `STORE.md`
 */
export function verifySchema(db: SqliteDatabase, tables: Tables): void {
  if (hasTables(db, tables)) return;
  throw new RunEventsError("store_unavailable", "The tables are missing: call `migrate()`.", {
    retryable: false,
  });
}

/**
 * Makes the tables, unless they are there: it checks that without a lock first, and again under it, since another process may have been
 * faster. Also throws what the driver throws.
 * @throws RunEventsError `store_unavailable`, not retryable, for tables of another format
 * @see clause S19 in `STORE.md`
 */
export function migrateSchema(
  db: SqliteDatabase,
  tables: Tables,
  transactions: Transactions,
): void {
  if (hasTables(db, tables)) return;
  transactions.write(() => {
    if (!hasTables(db, tables)) db.exec(createTables(tables));
  });
}
