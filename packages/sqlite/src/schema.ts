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

/** Numbered from 1 in this order. */
const MIGRATIONS: readonly Migration[] = [
  {
    breaking: true,
    // Events have a rowid, so that the events of a group fill the same pages, even of many runs. A table clustered by run allows
    // about half as many appends.
    sql: ({ runs, events, receipts }) => `
      CREATE TABLE ${runs} (
        run_key INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id TEXT NOT NULL UNIQUE,
        owner_id TEXT NOT NULL,
        run_status TEXT NOT NULL,
        phase TEXT,
        last_sequence INTEGER NOT NULL,
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL,
        finished_at_ms INTEGER,
        metadata TEXT NOT NULL
      ) STRICT;
      CREATE INDEX ${runs}_by_owner ON ${runs} (owner_id, run_key);
      CREATE INDEX ${runs}_by_status ON ${runs} (owner_id, run_status, run_key);
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
      ) STRICT, WITHOUT ROWID;`,
  },
  {
    // A program without fences would ignore them.
    breaking: true,
    // An append changes nothing in these indexes, unless it ends the run.
    sql: ({ runs }) => `
      ALTER TABLE ${runs} ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE ${runs} ADD COLUMN lease_expires_at_ms INTEGER;
      CREATE INDEX ${runs}_by_lease ON ${runs} (lease_expires_at_ms) WHERE lease_expires_at_ms IS NOT NULL;
      CREATE INDEX ${runs}_by_finish ON ${runs} (finished_at_ms) WHERE finished_at_ms IS NOT NULL;`,
  },
  {
    // A program without claim keys leaves the key of an earlier fence, which is invalid for the later one.
    breaking: false,
    sql: ({ runs, probes }) => `
      ALTER TABLE ${runs} ADD COLUMN claim_key TEXT;
      CREATE TABLE ${probes} (
        probe_key INTEGER PRIMARY KEY,
        filling BLOB NOT NULL
      ) STRICT;`,
  },
  {
    // Programs of earlier versions may run next to this one. Their runs have no topic. A claim of theirs leaves the name of an earlier
    // worker, which has its fence next to it. They leave `idle_from_ms` too early, which only costs a look at the run.
    breaking: false,
    sql: ({ runs }) => `
      ALTER TABLE ${runs} ADD COLUMN topic TEXT;
      ALTER TABLE ${runs} ADD COLUMN worker TEXT;
      ALTER TABLE ${runs} ADD COLUMN worker_fence INTEGER;
      ALTER TABLE ${runs} ADD COLUMN idle_from_ms INTEGER NOT NULL DEFAULT 0;
      CREATE INDEX ${runs}_by_idle ON ${runs} (run_status, idle_from_ms)
        WHERE finished_at_ms IS NULL AND lease_expires_at_ms IS NULL;
      CREATE INDEX ${runs}_by_topic ON ${runs} (owner_id, topic, run_key) WHERE topic IS NOT NULL;
      CREATE INDEX ${runs}_by_topic_status ON ${runs} (owner_id, topic, run_status, run_key) WHERE topic IS NOT NULL;`,
  },
];

/**
 * The numbers of the steps that the database has.
 * @throws RunEventsError `store_unavailable` for a newer breaking step
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
  if (rows.some((row) => row.breaking === 1 && row.migration > MIGRATIONS.length)) {
    throw new RunEventsError(
      "store_unavailable",
      "The tables are of a newer, incompatible schema: update this program.",
      { retryable: false },
    );
  }
  return new Set(rows.map((row) => row.migration));
}

function missingMigrations(db: SqliteDatabase, tables: Tables): readonly number[] {
  const applied = appliedMigrations(db, tables);
  return MIGRATIONS.map((_, index) => index + 1).filter((migration) => !applied.has(migration));
}

/** The tables and indexes of the migrations. Unique constraints are not among them, since they disappear only with their tables. */
function objectsOf({ runs, events, receipts, probes }: Tables): Readonly<Record<string, string>> {
  const tables = [runs, events, receipts, probes];
  const indexes = ["owner", "status", "lease", "finish", "topic", "topic_status", "idle"].map(
    (column) => `${runs}_by_${column}`,
  );
  return Object.fromEntries([
    ...tables.map((name) => [name, "table"]),
    ...indexes.map((name) => [name, "index"]),
  ]);
}

/**
 * Passes if all tables and indexes of the steps exist.
 * @throws RunEventsError `store_unavailable`, not retryable, with the name of the missing one
 * @see clause S31 in `STORE.md`
 */
export function checkObjects(db: SqliteDatabase, tables: Tables): void {
  const rows = prepareStatement(db, "SELECT name FROM sqlite_schema").all() as readonly {
    readonly name: string;
  }[];
  const names = new Set(rows.map(({ name }) => name));
  for (const [name, kind] of Object.entries(objectsOf(tables))) {
    if (names.has(name)) continue;
    throw new RunEventsError(
      "store_unavailable",
      `The ${kind} \`${name}\` is missing, although \`migrate()\` created it: create it again as in \`schema.ts\`, or restore a backup.`,
      { retryable: false },
    );
  }
}

/**
 * Passes if the database has every step that this program knows, with all tables and indexes.
 * @throws RunEventsError `store_unavailable`, not retryable, if a step, a table or an index is missing, or for a newer
 * breaking step
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
  checkObjects(db, tables);
}

/**
 * Applies the missing steps. It checks without a lock first, so that it writes nothing if no step is missing.
 * @throws RunEventsError `store_unavailable`, not retryable, for a newer breaking schema, or if a table or an index of an
 * applied step is missing
 * @see clause S19 in `STORE.md`
 */
export function migrateSchema(
  db: SqliteDatabase,
  tables: Tables,
  transactions: Transactions,
): void {
  if (missingMigrations(db, tables).length === 0) {
    checkObjects(db, tables);
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
      const step = MIGRATIONS[migration - 1];
      if (step === undefined) continue;
      db.exec(step.sql(tables));
      record.run(migration, step.breaking ? 1 : 0, Date.now());
    }
  });
}
