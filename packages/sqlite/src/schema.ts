import { RunEventsError } from "@tm/run-events-core";
import { prepareStatement } from "./handle.ts";
import type { SqliteDatabase } from "./driver.ts";
import type { Tables } from "./tables.ts";
import type { Transactions } from "./transactions.ts";

/**
 * One step of the schema. Released steps never change; new ones are added at the end.
 * @see clause S19 in `STORE.md`
 */
interface Migration {
  /** Whether a program that does not know this step must not touch the tables any more. */
  readonly breaking: boolean;
  readonly sql: (tables: Tables) => string;
}

/**
 * The number of the first step. Those before it belong to tables of an earlier format, which this program can neither read nor update.
 */
const FIRST = 5;

/** Numbered from {@link FIRST} in this order. */
const MIGRATIONS: readonly Migration[] = [
  {
    breaking: true,
    // Events have a rowid, so that the events of a group fill the same pages, even of many runs. A table clustered by run allows
    // about half as many appends. An append changes no indexed column of a run, unless it changes what the run waits for.
    sql: ({ runs, events, receipts, probes }) => `
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
      ) STRICT;`,
  },
];

/**
 * The numbers of the steps that the database has.
 * @throws RunEventsError `store_unavailable` for a newer breaking step, or for tables of an earlier format
 */
function appliedMigrations(db: SqliteDatabase, { schema }: Tables): ReadonlySet<number> {
  const exists = prepareStatement(
    db,
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
  );
  if (exists.get(schema) === undefined) return new Set();
  const rows = prepareStatement(db, `SELECT migration, breaking FROM ${schema}`).all() as {
    readonly migration: number;
    readonly breaking: number;
  }[];
  if (rows.some((row) => row.breaking === 1 && row.migration >= FIRST + MIGRATIONS.length)) {
    throw new RunEventsError(
      "store_unavailable",
      "The tables are of a newer, incompatible schema: update this program.",
      { retryable: false },
    );
  }
  if (rows.some((row) => row.migration < FIRST)) {
    throw new RunEventsError(
      "store_unavailable",
      "Expected tables of this program's format, but these are of an earlier one, which it cannot read. Let it make new tables under another `tablePrefix` or in another file; the program that made these still reads them.",
      { retryable: false },
    );
  }
  return new Set(rows.map((row) => row.migration));
}

function missingMigrations(db: SqliteDatabase, tables: Tables): readonly number[] {
  const applied = appliedMigrations(db, tables);
  return MIGRATIONS.map((_, index) => index + FIRST).filter((migration) => !applied.has(migration));
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
 * Passes if the database has every step that this program knows, with all tables. Also throws what the driver throws.
 * @throws RunEventsError `store_unavailable`, not retryable, if a step is missing, or for a newer breaking step
 * @see clause S19 in `STORE.md`
 */
export function verifySchema(db: SqliteDatabase, tables: Tables): void {
  if (missingMigrations(db, tables).length > 0) {
    throw new RunEventsError(
      "store_unavailable",
      "The tables are missing or of an older schema: call `migrate()`.",
      { retryable: false },
    );
  }
  checkTables(db, tables);
}

/**
 * Applies the missing steps. It checks without a lock first, so that it writes nothing if no step is missing. Also throws what the driver
 * throws.
 * @throws RunEventsError `store_unavailable`, not retryable, for a newer breaking schema
 * @see clause S19 in `STORE.md`
 */
export function migrateSchema(
  db: SqliteDatabase,
  tables: Tables,
  transactions: Transactions,
): void {
  if (missingMigrations(db, tables).length === 0) {
    checkTables(db, tables);
    return;
  }
  transactions.write(() => {
    db.exec(`CREATE TABLE IF NOT EXISTS ${tables.schema} (
      migration INTEGER PRIMARY KEY,
      breaking INTEGER NOT NULL,
      applied_at_ms INTEGER NOT NULL
    ) STRICT`);
    const record = prepareStatement(db, `INSERT INTO ${tables.schema} VALUES (?, ?, ?)`);
    // Read again under the lock: another process may have been faster.
    for (const migration of missingMigrations(db, tables)) {
      const step = MIGRATIONS[migration - FIRST];
      if (step === undefined) continue;
      db.exec(step.sql(tables));
      record.run(migration, step.breaking ? 1 : 0, Date.now());
    }
  });
}
