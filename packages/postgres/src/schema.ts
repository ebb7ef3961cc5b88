import { KEY_INDEX, type Tables, tablesOf } from "./tables.ts";

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
    // Of the columns that an append changes, only the status has an index, and it changes twice in a run's life. So Postgres
    // rewrites the head inside its page, of which a quarter is kept free. Events have no foreign key: they are written only
    // under the lock of their run's row, and a check for each event would cost more than the event.
    sql: ({ runs, events }) => `
    CREATE TABLE ${runs} (
      run_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      run_id text COLLATE "C" NOT NULL UNIQUE,
      owner_id text NOT NULL,
      run_status text NOT NULL,
      phase text,
      last_sequence bigint NOT NULL,
      created_at_ms bigint NOT NULL,
      updated_at_ms bigint NOT NULL,
      finished_at_ms bigint,
      metadata text NOT NULL
    ) WITH (fillfactor = 75);
    CREATE INDEX runs_by_owner ON ${runs} (owner_id, run_key);
    CREATE INDEX runs_by_status ON ${runs} (owner_id, run_status, run_key);
    CREATE TABLE ${events} (
      run_key bigint NOT NULL,
      sequence bigint NOT NULL,
      event_type text NOT NULL,
      payload text NOT NULL,
      created_at_ms bigint NOT NULL,
      idempotency_key text COLLATE "C",
      key_events integer,
      key_status text,
      key_phase text,
      PRIMARY KEY (run_key, sequence)
    );
    CREATE UNIQUE INDEX ${KEY_INDEX} ON ${events} (run_key, idempotency_key) WHERE idempotency_key IS NOT NULL;`,
  },
  {
    // A program without fences would ignore them.
    breaking: true,
    // An append changes nothing in these indexes, unless it ends the run.
    sql: ({ runs }) => `
    ALTER TABLE ${runs} ADD COLUMN fence bigint NOT NULL DEFAULT 0, ADD COLUMN lease_expires_at_ms bigint;
    CREATE INDEX runs_by_lease ON ${runs} (lease_expires_at_ms) WHERE lease_expires_at_ms IS NOT NULL;
    CREATE INDEX runs_by_finish ON ${runs} (finished_at_ms) WHERE finished_at_ms IS NOT NULL;`,
  },
  {
    // A program without claim keys leaves an old key in place. That key holds its own fence, so it does not match the next.
    breaking: false,
    sql: ({ runs }) => `
    ALTER TABLE ${runs} ADD COLUMN claim_key text;`,
  },
  {
    // Programs of earlier versions may run next to this one. Their runs have no topic. A claim of theirs leaves the name of an earlier
    // worker, which has its fence next to it. They leave `idle_from_ms` too early, which only costs a look at the run.
    //
    // An append changes the index of `idle_from_ms` only if it changes the status.
    breaking: false,
    sql: ({ runs }) => `
    ALTER TABLE ${runs} ADD COLUMN topic text COLLATE "C", ADD COLUMN worker text, ADD COLUMN worker_fence bigint,
      ADD COLUMN exclusive boolean, ADD COLUMN idle_from_ms bigint NOT NULL DEFAULT 0;
    CREATE INDEX runs_by_idle ON ${runs} (run_status, idle_from_ms) WHERE finished_at_ms IS NULL AND lease_expires_at_ms IS NULL;
    CREATE INDEX runs_by_topic ON ${runs} (owner_id, topic, run_key) WHERE topic IS NOT NULL;
    CREATE INDEX runs_by_topic_status ON ${runs} (owner_id, topic, run_status, run_key) WHERE topic IS NOT NULL;
    CREATE UNIQUE INDEX runs_by_place ON ${runs} (owner_id, topic) WHERE exclusive AND finished_at_ms IS NULL;`,
  },
];

/** How many migrations this program knows. */
export const MIGRATION_COUNT: number = MIGRATIONS.length;

/** The advisory lock under which all schemas of a database are migrated: "run" in ASCII. */
const MIGRATION_LOCK = 7_501_166;

/**
 * Prints the statement that applies every missing migration. It is one transaction, and safe to run from several processes at
 * once. It creates the schema if it does not exist, and changes nothing where nothing is missing.
 * @param schema of the tables, as `createPostgresStore` gets it; `run_events` by default
 * @returns plain SQL, for `migrate()` and for your migration tool
 * @throws TypeError unless the schema is a lower-case identifier of at most 63 characters that Postgres does not reserve
 * @see clause S19 in `STORE.md` of `@tm/run-events-core`
 */
export function printMigrations(schema = "run_events"): string {
  const tables = tablesOf(schema);
  const steps = MIGRATIONS.map((migration, index) => encodeStep(migration, index + 1, tables));
  return `DO $migrate$
BEGIN
  PERFORM pg_advisory_xact_lock(${MIGRATION_LOCK});
  IF to_regnamespace('${tables.schema}') IS NULL THEN
    CREATE SCHEMA ${tables.schema};
  END IF;
  IF to_regclass('${tables.migrations}') IS NULL THEN
    CREATE TABLE ${tables.migrations} (
      migration integer PRIMARY KEY,
      breaking boolean NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    );
  END IF;
${steps.join("\n")}
END
$migrate$;
`;
}

function encodeStep({ breaking, sql }: Migration, migration: number, tables: Tables): string {
  return `  IF NOT EXISTS (SELECT FROM ${tables.migrations} WHERE migration = ${migration}) THEN${sql(tables)}
    INSERT INTO ${tables.migrations} (migration, breaking) VALUES (${migration}, ${breaking});
  END IF;`;
}
