import Database from "better-sqlite3";
import { Redis } from "ioredis";
import { createPool } from "./postgres-log.ts";
import { keysOf } from "./redis-log.ts";
import type { ReplayStore } from "./replay-log.ts";

/** Reads how many bytes a store's logs take. */
export interface StoredBytes {
  /** @param runIds whose events to count, on a store that knows the size of each run alone */
  read(runIds: readonly string[]): Promise<number> | number;
}

/**
 * How the bytes of a store's events are counted: the rows of the table on SQLite and Postgres, without their indexes, and the memory of
 * the streams on Redis.
 * @param ownerId whose the runs are
 */
export function openStoredBytes(kind: ReplayStore, location: string, ownerId: string): StoredBytes {
  switch (kind) {
    case "sqlite":
      return sqliteBytes(location);
    case "postgres":
      return postgresBytes(location);
    case "redis":
      return redisBytes(location, ownerId);
    case "memory":
      throw new TypeError("Expected sqlite, postgres or redis, got memory: it stores nothing.");
  }
}

function sqliteBytes(file: string): StoredBytes {
  const database = new Database(file);
  const payload = database
    .prepare<[], number>("SELECT sum(payload) FROM dbstat WHERE name = 'run_events_events'")
    .pluck();
  return { read: () => payload.get() ?? 0 };
}

function postgresBytes(url: string): StoredBytes {
  const pool = createPool(url);
  return {
    async read() {
      const { rows } = await pool.query<{ readonly bytes: number }>(
        "SELECT coalesce(sum(pg_column_size(e.*)), 0)::int AS bytes FROM run_events.events e",
      );
      return rows[0]?.bytes ?? 0;
    },
  };
}

function redisBytes(url: string, ownerId: string): StoredBytes {
  const redis = new Redis(url);
  return {
    async read(runIds) {
      const sizes = await Promise.all(
        runIds.map((runId) =>
          redis.memory("USAGE", keysOf("run-events", ownerId, runId).events, "SAMPLES", 0),
        ),
      );
      return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    },
  };
}
