import { type AppendReceipt, createRunEvents, type OwnedRuns } from "@tm/run-events-core";
import {
  type PostgresOptions,
  type PostgresServer,
  startPostgres,
} from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { type KitStore, kitStore, OWNER } from "../../conformance/src/kit-store.ts";
import {
  createPostgresStore,
  type JoinedAppend,
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

/** A store with core's rules in front of it, whose outcomes are values. A call that names no owner is about `OWNER`'s run. */
export interface RuledStore extends KitStore {
  readonly inner: PostgresStore;
  migrate(): Promise<void>;
  verify(): Promise<void>;
  appendInTransaction(
    append: Omit<JoinedAppend, "ownerId"> & { readonly ownerId?: string },
  ): Promise<AppendReceipt>;
}

/** A store that has sent nothing yet, closed after the test; in a new schema unless one is given. */
export function createStore(
  pool: PostgresPool,
  { schema = newSchema(), ...options }: PostgresStoreOptions = {},
): RuledStore {
  const inner = createPostgresStore(pool, { schema, ...options });
  onTestFinished(() => inner.close());
  return Object.assign(kitStore(inner), {
    inner,
    migrate: () => inner.migrate(),
    verify: () => inner.verify(),
    appendInTransaction: (append) => inner.appendInTransaction({ ownerId: OWNER, ...append }),
  } satisfies Omit<RuledStore, keyof KitStore> & Pick<RuledStore, "inner">);
}

/** A migrated store. */
export async function openStore(
  pool: PostgresPool,
  options?: PostgresStoreOptions,
): Promise<RuledStore> {
  const store = createStore(pool, options);
  await store.migrate();
  return store;
}

/** The runs of `OWNER` in a store, through core. */
export function runsOf({ inner }: RuledStore): OwnedRuns {
  return createRunEvents({ store: inner }).as(OWNER);
}

/** A transaction in which a statement has run, on its own connection. */
export async function begin(pool: pg.Pool, statement: string): Promise<pg.PoolClient> {
  const client = await pool.connect();
  onTestFinished(() => client.release(true));
  await client.query("BEGIN");
  await client.query(statement);
  return client;
}

/** The number of sessions that wait for a lock. */
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
