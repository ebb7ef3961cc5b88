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
    // No column that a plain append or a renewal changes has an index, so that Postgres rewrites the head inside its page, of which a quarter
    // is kept free. Events have no foreign key: they are written only under the lock of their run's row, and a check for each event would
    // cost more than the event.
    sql: ({ runs, events, ordinals }) => `
    CREATE SEQUENCE ${ordinals};
    CREATE TABLE ${runs} (
      run_key bigint PRIMARY KEY,
      owner_id text COLLATE "C" NOT NULL,
      run_id text COLLATE "C" NOT NULL,
      topic text COLLATE "C",
      exclusive boolean NOT NULL,
      revision bigint NOT NULL,
      run_status text NOT NULL,
      phase text,
      last_sequence bigint NOT NULL,
      updated_at_ms bigint NOT NULL,
      fence bigint NOT NULL,
      lease_expires_at_ms bigint,
      due_kind text NOT NULL,
      due_ms bigint NOT NULL,
      extra text NOT NULL,
      metadata text NOT NULL,
      UNIQUE (owner_id, run_id)
    ) WITH (fillfactor = 75);
    CREATE INDEX runs_by_owner ON ${runs} (owner_id, run_key);
    CREATE INDEX runs_by_status ON ${runs} (owner_id, run_status, run_key);
    CREATE INDEX runs_by_topic ON ${runs} (owner_id, topic, run_key) WHERE topic IS NOT NULL;
    CREATE INDEX runs_by_topic_status ON ${runs} (owner_id, topic, run_status, run_key) WHERE topic IS NOT NULL;
    CREATE UNIQUE INDEX runs_by_place ON ${runs} (owner_id, topic) WHERE exclusive AND due_kind <> 'finished';
    CREATE INDEX runs_by_due ON ${runs} (due_kind, due_ms);
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
];

/** The number of migrations that this program knows. */
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
