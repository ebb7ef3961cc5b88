import { createPostgresStore } from "@tm/run-events-postgres";
import { openRedisStore } from "@tm/run-events-redis";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { Redis } from "ioredis";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";

const url = process.env.STORE_URL ?? "";

async function openStore() {
  if (url.startsWith("redis:")) return openRedisStore(new Redis(url));
  const store = url.startsWith("postgres")
    ? createPostgresStore(new pg.Pool({ connectionString: url, max: 5 }))
    : createSqliteStore(new DatabaseSync(url));
  await store.migrate();
  return store;
}

export const store = await openStore();
