import {
  type PostgresOptions,
  type PostgresServer,
  startPostgres,
} from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import {
  createPostgresStore,
  type PostgresPool,
  type PostgresStore,
  type PostgresStoreOptions,
} from "../src/index.ts";

/** A server for all tests of a file, started before they run. */
export function useServer(options: PostgresOptions = {}): () => PostgresServer {
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    server = await startPostgres(options);
  });
  afterAll(() => server?.close());
  return () => {
    if (server === undefined) throw new TypeError("Expected to be called within a test.");
    return server;
  };
}

/** A pool that is ended after the test. */
export function openPool(url: string, config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, ...config });
  // Tests break connections; the next use of one fails with this error.
  pool.on("error", () => {});
  onTestFinished(async () => {
    if (!pool.ending) await pool.end();
  });
  return pool;
}

/** A name for a schema that no other store has. */
export function newSchema(): string {
  return `s_${crypto.randomUUID().replaceAll("-", "")}`;
}

/** A migrated store, closed after the test; in a new schema unless one is given. */
export async function openStore(
  pool: PostgresPool,
  { schema = newSchema(), ...options }: PostgresStoreOptions = {},
): Promise<PostgresStore> {
  const store = createPostgresStore(pool, { schema, ...options });
  onTestFinished(() => store.close());
  await store.migrate();
  return store;
}

/** A transaction in which a statement has run, on its own connection. */
export async function begin(pool: pg.Pool, statement: string): Promise<pg.PoolClient> {
  const client = await pool.connect();
  onTestFinished(() => client.release(true));
  await client.query("BEGIN");
  await client.query(statement);
  return client;
}

/** How many sessions wait for a lock. */
export async function countWaiting(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
  return rows.length;
}

/** The default isolations of databases that a store has to work with. */
export const ISOLATIONS = ["read committed", "repeatable read", "serializable"] as const;

/** Gives a pool's sessions such a default isolation. */
export function isolated(level: (typeof ISOLATIONS)[number]): pg.PoolConfig {
  return { options: `-c default_transaction_isolation=${level.replace(" ", "\\ ")}` };
}
