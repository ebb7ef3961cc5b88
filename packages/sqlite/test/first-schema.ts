import type { Handle } from "./drivers.ts";

/**
 * Creates the tables of the first release, with one running run, `live`, and one that has finished, `done`. Both have two events; the
 * first of `live` is under the key `k`.
 */
export function makeFirstSchema(db: Handle): void {
  db.exec(`
    CREATE TABLE run_events_runs (
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
    CREATE INDEX run_events_runs_by_owner ON run_events_runs (owner_id, run_key);
    CREATE INDEX run_events_runs_by_status ON run_events_runs (owner_id, run_status, run_key);
    CREATE TABLE run_events_events (
      run_key INTEGER NOT NULL REFERENCES run_events_runs ON DELETE CASCADE,
      sequence INTEGER NOT NULL,
      event_type TEXT NOT NULL,
      payload TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL,
      PRIMARY KEY (run_key, sequence)
    ) STRICT;
    CREATE TABLE run_events_receipts (
      run_key INTEGER NOT NULL REFERENCES run_events_runs ON DELETE CASCADE,
      idempotency_key TEXT NOT NULL,
      first_sequence INTEGER NOT NULL,
      last_sequence INTEGER NOT NULL,
      run_status TEXT NOT NULL,
      phase TEXT,
      PRIMARY KEY (run_key, idempotency_key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE run_events_schema (
      migration INTEGER PRIMARY KEY,
      breaking INTEGER NOT NULL,
      applied_at_ms INTEGER NOT NULL
    ) STRICT;
    INSERT INTO run_events_schema VALUES (1, 1, 1000);
    INSERT INTO run_events_runs VALUES
      (1, 'live', 'ada', 'running', NULL, 2, 1000, 2000, NULL, '{"a":1}'),
      (2, 'done', 'ada', 'completed', NULL, 2, 1000, 2000, 2000, '{}');
    INSERT INTO run_events_events VALUES
      (1, 1, 'LOG_LINE', '1', 1000), (1, 2, 'LOG_LINE', '2', 2000),
      (2, 1, 'LOG_LINE', '1', 1000), (2, 2, 'RUN_COMPLETED', 'null', 2000);
    INSERT INTO run_events_receipts VALUES (1, 'k', 1, 1, 'running', NULL);`);
}
