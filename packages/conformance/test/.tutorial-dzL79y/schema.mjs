import { RunEventsError } from "@tm/run-events-core";

/** Numbered from 1. Released ones never change; new ones go to the end. */
const MIGRATIONS = [
  `CREATE TABLE runs (
    ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text COLLATE "C" NOT NULL UNIQUE,
    owner_id text COLLATE "C" NOT NULL,
    run_status text NOT NULL,
    phase text,
    last_sequence bigint NOT NULL,
    created_at_ms bigint NOT NULL,
    updated_at_ms bigint NOT NULL,
    finished_at_ms bigint,
    metadata text NOT NULL,
    topic text COLLATE "C",
    idle_from_ms bigint NOT NULL,
    exclusive boolean NOT NULL,
    fence bigint NOT NULL,
    lease_expires_at_ms bigint,
    worker text,
    kept_claim text
  );
  CREATE INDEX runs_by_owner ON runs (owner_id, ordinal);
  CREATE INDEX runs_by_topic ON runs (owner_id, topic, ordinal) WHERE topic IS NOT NULL;
  CREATE UNIQUE INDEX runs_by_place ON runs (owner_id, topic) WHERE exclusive AND finished_at_ms IS NULL;
  CREATE INDEX runs_by_lease ON runs (lease_expires_at_ms) WHERE lease_expires_at_ms IS NOT NULL;
  CREATE INDEX runs_by_finish ON runs (finished_at_ms) WHERE finished_at_ms IS NOT NULL;
  CREATE INDEX runs_by_idle ON runs (run_status, idle_from_ms)
    WHERE finished_at_ms IS NULL AND lease_expires_at_ms IS NULL;
  CREATE TABLE events (
    ordinal bigint NOT NULL,
    sequence bigint NOT NULL,
    event_type text NOT NULL,
    phase text,
    payload text NOT NULL,
    created_at_ms bigint NOT NULL,
    run_status text,
    PRIMARY KEY (ordinal, sequence)
  );
  CREATE INDEX events_by_phase ON events (ordinal, sequence) WHERE phase IS NOT NULL;
  CREATE INDEX events_by_status ON events (ordinal, sequence) WHERE run_status IS NOT NULL;
  CREATE TABLE receipts (
    ordinal bigint NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    first_sequence bigint NOT NULL,
    last_sequence bigint NOT NULL,
    phase text,
    PRIMARY KEY (ordinal, idempotency_key)
  );
  CREATE TABLE departures (
    mark bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id text COLLATE "C" NOT NULL,
    topic text COLLATE "C",
    run_id text COLLATE "C" NOT NULL,
    departed_at_ms bigint NOT NULL
  );
  CREATE INDEX departures_by_owner ON departures (owner_id, mark);
  CREATE TABLE probes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);`,
];

/**
 * Applies the steps that are missing, under a lock that only migrations take. If it fails, its connection is closed, and so everything is
 * rolled back.
 */
export async function migrate(client) {
  await client.query("BEGIN");
  await client.query("SELECT pg_advisory_xact_lock(7501166)");
  await client.query("CREATE TABLE IF NOT EXISTS migrations (migration integer PRIMARY KEY)");
  for (let step = (await latest(client)) + 1; step <= MIGRATIONS.length; step++) {
    await client.query(MIGRATIONS[step - 1]);
    await client.query("INSERT INTO migrations VALUES ($1)", [step]);
  }
  await client.query("COMMIT");
}

/** Refuses tables of another schema. */
export async function verify(client) {
  const { rows } = await client.query("SELECT to_regclass('migrations') IS NOT NULL AS made");
  if (!rows[0].made || (await latest(client)) < MIGRATIONS.length) {
    throw refusal("The tables are missing or of an older schema: call `migrate()`.");
  }
}

async function latest(client) {
  const { rows } = await client.query("SELECT coalesce(max(migration), 0) AS step FROM migrations");
  const { step } = rows[0];
  if (step > MIGRATIONS.length) throw refusal("The tables are newer: update this program.");
  return step;
}

function refusal(message) {
  return new RunEventsError("store_unavailable", message, { retryable: false });
}
