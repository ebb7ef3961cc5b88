import Database from "better-sqlite3";
import { Redis } from "ioredis";
import type { BareEvent } from "./bare-stream.ts";
import { createPool } from "./postgres-log.ts";
import { keysOf, readLastSequence } from "./redis-log.ts";
import {
  REPLAY_EVENT_BYTES,
  REPLAY_HEAD,
  REPLAY_OWNER,
  REPLAY_RUN,
  REPLAY_TIME_MS,
  type ReplayStore,
} from "./replay-log.ts";
import { sampleEvent } from "./sample-event.ts";

/** The rows of the one run of a store, read by the driver alone. */
export interface Rows {
  /** The sequence of the last. */
  readonly last: number;
  read(since: number, limit: number): Promise<readonly BareEvent[]> | readonly BareEvent[];
}

/** Opens the log that ours has filled; for `memory` it makes one like it, of this many events. */
export function openRows(kind: ReplayStore, location: string): Promise<Rows> | Rows {
  switch (kind) {
    case "sqlite":
      return openSqlite(location);
    case "memory":
      return openMemory(Number(location));
    case "postgres":
      return openPostgres(location);
    case "redis":
      return openRedis(location);
  }
}

function openSqlite(file: string): Rows {
  const database = new Database(file);
  const last =
    database.prepare<[], number>("SELECT last_sequence FROM run_events_runs").pluck().get() ?? 0;
  const select = database.prepare<[number, number], BareEvent>(
    `SELECT sequence, event_type AS eventType, payload, created_at_ms AS createdAtMs
     FROM run_events_events WHERE run_key = 1 AND sequence > ? ORDER BY sequence LIMIT ?`,
  );
  return { last, read: (since, limit) => select.all(since, limit) };
}

function openMemory(events: number): Rows {
  const { eventType, payload } = sampleEvent(REPLAY_EVENT_BYTES);
  const last = events + REPLAY_HEAD.length;
  const log = Array.from({ length: last }, (_, index) => ({
    sequence: index + 1,
    eventType: index + 1 === last ? "RUN_COMPLETED" : eventType,
    payload: index + 1 === last ? "null" : JSON.stringify(payload),
    createdAtMs: REPLAY_TIME_MS,
  }));
  return { last, read: (since, limit) => log.slice(since, since + limit) };
}

async function openPostgres(url: string): Promise<Rows> {
  const pool = createPool(url);
  const { rows } = await pool.query<{ key: string; last: number }>(
    "SELECT run_key AS key, last_sequence::int AS last FROM run_events.runs",
  );
  const [run = { key: "0", last: 0 }] = rows;
  return {
    last: run.last,
    async read(since, limit) {
      const page = await pool.query<Omit<BareEvent, "createdAtMs"> & { createdAtMs: string }>({
        name: "page",
        text: `SELECT sequence::int, event_type AS "eventType", payload, created_at_ms AS "createdAtMs"
          FROM run_events.events WHERE run_key = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`,
        values: [run.key, since, limit],
      });
      return page.rows.map((row) => ({ ...row, createdAtMs: Number(row.createdAtMs) }));
    },
  };
}

async function openRedis(url: string): Promise<Rows> {
  const redis = new Redis(url);
  const { head, events } = keysOf("run-events", REPLAY_OWNER, REPLAY_RUN);
  return {
    last: await readLastSequence(redis, head),
    async read(since, limit) {
      const entries = await redis.xrange(events, `(${since}-0`, "+", "COUNT", limit);
      return entries.map(([id, [, eventType = "", , payload = "", , createdAtMs]]) => ({
        sequence: Number.parseInt(id, 10),
        eventType,
        payload,
        createdAtMs: Number(createdAtMs),
      }));
    },
  };
}
