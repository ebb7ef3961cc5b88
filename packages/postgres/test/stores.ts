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

/** A server for all tests of a file, there once they run. */
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

/** A pool that is ended with the test. */
export function openPool(url: string, config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, ...config });
  // Tests break connections; whoever uses one learns of it.
  pool.on("error", () => {});
  onTestFinished(async () => {
    if (!pool.ending) await pool.end();
  });
  return pool;
}

/** A schema's name that nobody else has. */
export function newSchema(): string {
  return `s_${crypto.randomUUID().replaceAll("-", "")}`;
}

/** A migrated store, closed with the test; in a schema of its own unless one is given. */
export async function openStore(
  pool: PostgresPool,
  { schema = newSchema(), ...options }: PostgresStoreOptions = {},
): Promise<PostgresStore> {
  const store = createPostgresStore(pool, { schema, ...options });
  onTestFinished(() => store.close());
  await store.migrate();
  return store;
}

/** A transaction in which a statement has run on a connection of its own. */
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

/** The default isolations of databases that a store has to do with. */
export const ISOLATIONS = ["read committed", "repeatable read", "serializable"] as const;

/** Has a pool's sessions isolate as databases do with such a default. */
export function isolated(level: (typeof ISOLATIONS)[number]): pg.PoolConfig {
  return { options: `-c default_transaction_isolation=${level.replace(" ", "\\ ")}` };
}
