import type { OpenedStore } from "./opened-store.ts";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import { isAway } from "./is-away.ts";
import { type LateStore, openLate } from "./late-store.ts";
import type { Log } from "./log.ts";
import { openPostgres } from "./open-postgres.ts";
import { openRedis } from "./open-redis.ts";
import { openSqlite } from "./open-sqlite.ts";
import { reasonOf } from "./reason-of.ts";
import { encodeStoreUrl, type StoreUrl } from "./store-url.ts";

/**
 * Opens the store that the URL names and brings its schema up to date. If it is away now, the store is opened when it is back.
 * @param log gets a line when a server is lost, and one when it is back
 * @throws RunEventsError `store_unavailable` whose message is one line for the operator
 */
export async function openStore(
  storeUrl: StoreUrl,
  log: Log,
): Promise<OpenedStore & Partial<LateStore>> {
  const attempt = (): Promise<OpenedStore> => openNow(storeUrl, log);
  try {
    return await attempt();
  } catch (error) {
    if (!isAway(error)) throw error;
    return openLate(attempt, error);
  }
}

async function openNow(storeUrl: StoreUrl, log: Log): Promise<OpenedStore> {
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
      return openSqlite(storeUrl.path, log);
    case "postgres":
      return openPostgres(storeUrl.url, log);
    case "redis":
    case "redis+cluster":
      return openRedis(storeUrl, log);
  }
}
