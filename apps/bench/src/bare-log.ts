import Database from "better-sqlite3";
import { Redis } from "ioredis";
import { createPool, type StoreKind } from "./stores.ts";

/** The least that keeps numbered events: no batch of others' calls, no checks, no notification. */
export interface BareLog {
  /** Adds one event to a run, with a key that is its own, in a transaction of its own. */
  append(runId: string, eventType: string, payload: string): unknown;
  /** How many events it holds. */
  count(): Promise<number> | number;
}

/** Opens an empty one with these runs, by the driver alone. */
export function openBareLog(
  kind: StoreKind,
  location: string,
  runIds: readonly string[],
): Promise<BareLog> | BareLog {
  switch (kind) {
    case "sqlite":
      return openSqlite(location, runIds);
    case "postgres":
      return openPostgres(location, runIds);
    case "redis":
      return openRedis(location, runIds);
    case "memory":
      throw new TypeError("Expected sqlite, postgres or redis, got memory: it waits for nothing.");
  }
}

const TABLES = `
CREATE TABLE bare_runs (id text PRIMARY KEY, last bigint NOT NULL, updated_at bigint NOT NULL);
CREATE TABLE bare_events (run text NOT NULL, sequence bigint NOT NULL, type text NOT NULL, payload text NOT NULL, at bigint NOT NULL, key text NOT NULL,
  PRIMARY KEY (run, sequence), UNIQUE (run, key));`;

function openSqlite(file: string, runIds: readonly string[]): BareLog {
  const database = new Database(file);
  for (const pragma of ["journal_mode = WAL", "synchronous = FULL"]) database.pragma(pragma);
  database.exec(TABLES);
  const create = database.prepare("INSERT INTO bare_runs VALUES (?, 0, 0)");
  for (const runId of runIds) create.run(runId);
  const advance = database
    .prepare<[number, string], number>(
      "UPDATE bare_runs SET last = last + 1, updated_at = ? WHERE id = ? RETURNING last",
    )
    .pluck();
  const insert = database.prepare("INSERT INTO bare_events VALUES (?, ?, ?, ?, ?, ?)");
  const append = database.transaction((runId: string, eventType: string, payload: string) => {
    const now = Date.now();
    const sequence = advance.get(now, runId);
    insert.run(runId, sequence, eventType, payload, now, crypto.randomUUID());
  });
  const count = database.prepare<[], number>("SELECT count(*) FROM bare_events").pluck();
  return { append: (...event) => append.immediate(...event), count: () => count.get() ?? 0 };
}

async function openPostgres(url: string, runIds: readonly string[]): Promise<BareLog> {
  const pool = createPool(url);
  await pool.query(TABLES);
  await pool.query("INSERT INTO bare_runs SELECT id, 0, 0 FROM unnest($1::text[]) AS r (id)", [
    runIds,
  ]);
  const now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
  const text = `
WITH head AS (UPDATE bare_runs SET last = last + 1, updated_at = greatest(updated_at, ${now}) WHERE id = $1 RETURNING *)
INSERT INTO bare_events SELECT id, last, $2, $3, updated_at, $4 FROM head`;
  return {
    append: (runId, eventType, payload) =>
      pool.query({
        name: "append",
        text,
        values: [runId, eventType, payload, crypto.randomUUID()],
      }),
    async count() {
      const { rows } = await pool.query<{ readonly count: string }>(
        "SELECT count(*) FROM bare_events",
      );
      return Number(rows[0]?.count);
    },
  };
}

/** KEYS: head, events, receipts. ARGV: type, payload, idempotency key, channel. */
const APPEND = `
local head = redis.call('HMGET', KEYS[1], 'last', 'at')
local time = redis.call('TIME')
local now = string.format('%.0f', math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(head[2])))
local sequence = string.format('%.0f', head[1] + 1)
redis.call('XADD', KEYS[2], sequence .. '-0', 'type', ARGV[1], 'payload', ARGV[2], 'at', now)
redis.call('HSET', KEYS[3], ARGV[3], sequence)
redis.call('HSET', KEYS[1], 'last', sequence, 'at', now)
redis.call('PUBLISH', ARGV[4], '')
return sequence
`;

async function openRedis(url: string, runIds: readonly string[]): Promise<BareLog> {
  const redis = new Redis(url);
  const sha1 = String(await redis.script("LOAD", APPEND));
  const keysOf = (runId: string): readonly [string, string, string] => [
    `bare:${runId}:head`,
    `bare:${runId}:events`,
    `bare:${runId}:receipts`,
  ];
  for (const runId of runIds) await redis.hset(keysOf(runId)[0], { last: 0, at: 0 });
  return {
    append: (runId, eventType, payload) =>
      redis.evalsha(
        sha1,
        3,
        ...keysOf(runId),
        eventType,
        payload,
        crypto.randomUUID(),
        `bare:${runId}`,
      ),
    async count() {
      const counts = await Promise.all(runIds.map((runId) => redis.xlen(keysOf(runId)[1])));
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}
