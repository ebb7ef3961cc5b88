import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createPostgresStore, type PostgresPool } from "@tm/run-events-postgres";
import pg from "pg";
import { CALLERS, OWNER, runIdOf } from "./append-writer.ts";

/** How many connections every pool has. */
export const POOL_SIZE = 16;

/** Opens a pool of the size that all have. */
export function createPool(url: string): pg.Pool {
  return new pg.Pool({ connectionString: url, max: POOL_SIZE });
}

/** Makes the tables in the pool's database, and the runs. */
export async function createLog(pool: PostgresPool): Promise<RunEvents> {
  const store = createPostgresStore(pool);
  await store.migrate();
  const runs = createRunEvents({ store });
  for (let index = 0; index < CALLERS; index++) {
    await runs.create({ ownerId: OWNER, runId: runIdOf(index) });
  }
  return runs;
}

/**
 * Counts the events of a database.
 * @throws unless every run has the events 1 … `last_sequence`, each with a key.
 */
export async function countEvents(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ readonly events: number; readonly wrong: number }>(
    `SELECT sum(events)::int AS events, count(*) FILTER (WHERE (events, events, keyed) <> (last_sequence, last, last))::int AS wrong FROM (
       SELECT last_sequence, count(sequence) AS events, coalesce(max(sequence), 0) AS last, sum(key_events) FILTER (WHERE idempotency_key IS NOT NULL) AS keyed
       FROM run_events.runs LEFT JOIN run_events.events USING (run_key) GROUP BY run_key) counted`,
  );
  if (rows[0]?.wrong !== 0) throw new Error("A run has not all its events.");
  return rows[0].events;
}

/** The server's version and what it does with a commit, in one line. */
export async function describePostgres(url: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const settings = ["server_version", "fsync", "synchronous_commit", "shared_buffers"];
    const { rows } = await client.query<{ readonly name: string; readonly value: string }>(
      "SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS s (name)",
      [settings],
    );
    return `Postgres: ${rows.map(({ name, value }) => `${name} ${value}`).join(", ")}.`;
  } finally {
    await client.end();
  }
}
