import type { RunEventStore } from "@tm/run-events-core/store";
import { createPostgresStore } from "@tm/run-events-postgres";
import { openRedisStore } from "@tm/run-events-redis";
import { createSqliteStore } from "@tm/run-events-sqlite";
import Database from "better-sqlite3";
import { Cluster, Redis } from "ioredis";
import pg from "pg";

/** A store with a connection of its own. */
export interface OpenedStore {
  readonly store: RunEventStore;
  /** Ends the connection, once the store is closed. */
  readonly close: () => Promise<unknown>;
}

/** Opens a store by the URL that the server takes, and creates its schema. */
export async function openStoreUrl(url: string): Promise<OpenedStore> {
  if (url.startsWith("sqlite:")) {
    const db = new Database(url.slice("sqlite:".length));
    const store = createSqliteStore(db);
    await store.migrate();
    return { store, close: async () => db.close() };
  }
  if (url.startsWith("postgres:")) {
    const pool = new pg.Pool({ connectionString: url, max: 3 });
    const store = createPostgresStore(pool);
    await store.migrate();
    return { store, close: () => pool.end() };
  }
  if (url.startsWith("redis+cluster:")) {
    const nodes = url.slice("redis+cluster://".length).split(",");
    const cluster = new Cluster(nodes.map((node) => `redis://${node}`));
    return { store: await openRedisStore(cluster), close: () => cluster.quit() };
  }
  const redis = new Redis(url);
  return { store: await openRedisStore(redis), close: () => redis.quit() };
}
