import type pg from "pg";

/**
 * Creates the tables of the first release, with one running run, `live`, and one that has finished, `done`. Both have two events; the
 * first of `live` is under the key `k`.
 */
export async function makeFirstSchema(pool: pg.Pool, schema: string): Promise<void> {
  await pool.query(`
    CREATE SCHEMA ${schema};
    SET LOCAL search_path TO ${schema};
    CREATE TABLE migrations (
      migration integer PRIMARY KEY,
      breaking boolean NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    );
    INSERT INTO migrations (migration, breaking) VALUES (1, true);
    CREATE TABLE runs (
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
    CREATE INDEX runs_by_owner ON runs (owner_id, run_key);
    CREATE INDEX runs_by_status ON runs (owner_id, run_status, run_key);
    CREATE TABLE events (
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
    CREATE UNIQUE INDEX events_by_key ON events (run_key, idempotency_key) WHERE idempotency_key IS NOT NULL;
    INSERT INTO runs
      (run_id, owner_id, run_status, last_sequence, created_at_ms, updated_at_ms, finished_at_ms, metadata)
    VALUES
      ('live', 'ada', 'running', 2, 1000, 2000, NULL, '{"a":1}'),
      ('done', 'ada', 'completed', 2, 1000, 2000, 2000, '{}');
    INSERT INTO events (run_key, sequence, event_type, payload, created_at_ms, idempotency_key, key_events, key_status)
    VALUES
      (1, 1, 'LOG_LINE', '1', 1000, 'k', 1, 'running'), (1, 2, 'LOG_LINE', '2', 2000, NULL, NULL, NULL),
      (2, 1, 'LOG_LINE', '1', 1000, NULL, NULL, NULL), (2, 2, 'RUN_COMPLETED', 'null', 2000, NULL, NULL, NULL);`);
}
