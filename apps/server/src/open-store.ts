import type { OpenedStore } from "./opened-store.ts";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import type { Log } from "./log.ts";
import { openPostgres } from "./open-postgres.ts";
import { openRedis } from "./open-redis.ts";
import { hasCode } from "./has-code.ts";
import { reasonOf } from "./reason-of.ts";
import { encodeStoreUrl, type StoreUrl } from "./store-url.ts";

/**
 * Opens the store that the URL names and brings its schema up to date. A database file and its folder are made, for their
 * owner alone; those that are there keep their modes.
 * @param log told when a server is lost, and when it is back
 * @throws RunEventsError `store_unavailable` whose message is one line for the operator
 */
export async function openStore(storeUrl: StoreUrl, log: Log): Promise<OpenedStore> {
  try {
    return await open(storeUrl, log);
  } catch (cause) {
    const message = `cannot open the store ${encodeStoreUrl(storeUrl)}: ${reasonOf(cause)}`;
    throw new RunEventsError("store_unavailable", message, { cause });
  }
}

async function open(storeUrl: StoreUrl, log: Log): Promise<OpenedStore> {
  switch (storeUrl.kind) {
    case "memory":
      return { store: createMemoryStore(), async release() {} };
    case "sqlite":
      return openSqlite(storeUrl.path);
    case "postgres":
      return openPostgres(storeUrl.url, log);
    case "redis":
    case "redis+cluster":
      return openRedis(storeUrl, log);
  }
}

async function openSqlite(path: string): Promise<OpenedStore> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  makeFile(path);
  const db = new Database(path);
  try {
    const store = createSqliteStore(db);
    await store.migrate();
    return { store, walBytes: () => store.walBytes(), release: async () => void db.close() };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Makes the file if it is not there. SQLite gives the files beside it the modes of this one. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
}
