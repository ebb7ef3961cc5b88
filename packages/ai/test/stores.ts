import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createPostgresStore } from "@tm/run-events-postgres";
import { openRedisStore } from "@tm/run-events-redis";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import pg from "pg";

/** A place for runs that a whole file of tests uses. */
export interface Place {
  /** Where it is, for other processes too. */
  readonly url: string;
  /** Opens its runs once more, as another process would. */
  open(): Promise<Opened>;
  /** Removes it, once all is closed. */
  close(): Promise<unknown>;
}

/** Runs with a connection of their own. */
interface Opened {
  readonly runs: RunEvents;
  /** Closes the runs and the connection. */
  close(): Promise<unknown>;
}

/** Opens the runs at a URL, their tables made. */
export async function openUrl(url: string): Promise<Opened> {
  if (url.startsWith("sqlite:")) {
    const db = new DatabaseSync(url.slice("sqlite:".length));
    const store = createSqliteStore(db);
    await store.migrate();
    const runs = createRunEvents({ store });
    return { runs, close: () => runs.close().then(() => db.close()) };
  }
  if (url.startsWith("redis:")) {
    const redis = new Redis(url);
    const runs = createRunEvents({ store: await openRedisStore(redis) });
    return { runs, close: () => runs.close().then(() => redis.quit()) };
  }
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  const store = createPostgresStore(pool);
  await store.migrate();
  const runs = createRunEvents({ store });
  return { runs, close: () => runs.close().then(() => pool.end()) };
}

function placeAt(url: string, close: () => Promise<unknown>): Place {
  return { url, close, open: () => openUrl(url) };
}

/** Runs in memory: those that open it again share the store. */
async function placeInMemory(): Promise<Place> {
  const store = createMemoryStore();
  const shared = { ...store, close: async () => {} };
  const open = async (): Promise<Opened> => {
    const runs = createRunEvents({ store: shared });
    return { runs, close: () => runs.close() };
  };
  return { url: "memory:", open, close: () => store.close() };
}

/** A file of SQLite. */
async function placeInFile(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "run-events-ai-"));
  return placeAt(`sqlite:${join(folder, "runs.db")}`, () => rm(folder, { recursive: true }));
}

/** A Postgres of its own. */
async function placeInPostgres(): Promise<Place> {
  const server = await startPostgres();
  return placeAt(server.url, () => server.close());
}

/** A Redis of its own. */
async function placeInRedis(): Promise<Place> {
  const server = await startRedis();
  return placeAt(server.url, () => server.close());
}

/** Stores by name, each with how to make a place on it. */
export type Stores = readonly (readonly [name: string, create: () => Promise<Place>])[];

/** Stores that need no server. */
export const LOCAL: Stores = [
  ["memory", placeInMemory],
  ["SQLite", placeInFile],
];

/** Stores that need one. */
export const SERVERS: Stores = [
  ["Postgres", placeInPostgres],
  ["Redis", placeInRedis],
];
