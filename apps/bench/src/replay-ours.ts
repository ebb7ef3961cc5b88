import Database from "better-sqlite3";
import { createMemoryStore, createRunEvents, type RunEventStore } from "@tm/run-events-core";
import { createPostgresStore } from "@tm/run-events-postgres";
import { openRedisStore } from "@tm/run-events-redis";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { Redis } from "ioredis";
import { createPool } from "./postgres-log.ts";
import { fillReplay, REPLAY_OWNER } from "./replay-log.ts";
import { type ReplayStore, serveReplay } from "./replay-server.ts";
import { createRunServer } from "./run-server.ts";

const [, , kind = "", location = "", events = ""] = process.argv;

/** Opens an empty store. */
async function openStore(): Promise<RunEventStore> {
  switch (kind as ReplayStore) {
    case "sqlite": {
      const store = createSqliteStore(new Database(location), { synchronous: "NORMAL" });
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

const runs = createRunEvents({ store: await openStore() });
await fillReplay(runs, Number(events));
serveReplay(createRunServer(runs, REPLAY_OWNER));
