import Database from "better-sqlite3";
import { createMemoryStore } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createPostgresStore } from "@tm/run-events-postgres";
import { openRedisStore } from "@tm/run-events-redis";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { Redis } from "ioredis";
import pg from "pg";

/** The stores that are measured. */
export type StoreKind = "sqlite" | "memory" | "postgres" | "redis";

/** Their names in the results. */
export const STORE_TITLES: Readonly<Record<StoreKind, string>> = {
  sqlite: "SQLite",
  memory: "memory",
  postgres: "Postgres",
  redis: "Redis",
};

/** The number of connections that every pool has. */
const POOL_SIZE = 16;

/** Opens a pool of the size that all have. */
function createPool(url: string): pg.Pool {
  return new pg.Pool({ connectionString: url, max: POOL_SIZE });
}

/** Opens a store, and makes its tables if it has any. On SQLite every commit is synced. */
export async function openStore(kind: StoreKind, location: string): Promise<RunEventStore> {
  switch (kind) {
    case "sqlite": {
      const store = createSqliteStore(new Database(location));
      await store.migrate();
      return store;
    }
    case "memory":
      return createMemoryStore();
    case "postgres": {
      const store = createPostgresStore(createPool(location));
      await store.migrate();
      return store;
    }
    case "redis":
      return openRedisStore(new Redis(location));
  }
}
