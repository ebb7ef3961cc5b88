import Database from "better-sqlite3";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createPostgresStore } from "@tm/run-events-postgres";
import { openRedisStore } from "@tm/run-events-redis";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { Redis } from "ioredis";
import { createPool } from "./postgres-log.ts";
import { fillReplay, REPLAY_OWNER, REPLAY_TIME_MS } from "./replay-log.ts";
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

/** A log that was filled in one go says few times; one that was recorded says another one for each event. */
function spreadTimes(file: string): void {
  const database = new Database(file);
  database.exec("UPDATE run_events_events SET created_at_ms = created_at_ms + 20 * sequence");
  database.close();
}

const runs = createRunEvents({ store: await openStore() });
await fillReplay(runs, Number(events));
if (kind === "sqlite") spreadTimes(location);
serveReplay(createRunServer(runs, REPLAY_OWNER));
