import Database from "better-sqlite3";
import { createMemoryStore } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createPostgresStore } from "@tm/run-events-postgres";
import { openRedisStore } from "@tm/run-events-redis";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { Redis } from "ioredis";
import { createPool } from "./postgres-log.ts";
import { REPLAY_TIME_MS, type ReplayStore } from "./replay-log.ts";

/** Opens an empty store. */
export async function openStore(kind: ReplayStore, location: string): Promise<RunEventStore> {
  switch (kind) {
    case "sqlite": {
      const store = createSqliteStore(new Database(location), { synchronous: "NORMAL" });
      await store.migrate();
      return store;
    }
    case "memory":
      return createMemoryStore({ now: () => REPLAY_TIME_MS });
    case "postgres": {
      const store = createPostgresStore(createPool(location));
      await store.migrate();
      return store;
    }
    case "redis":
      return openRedisStore(new Redis(location));
  }
}
