import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { createMemoryStore, RunEventsError, type RunEventStore } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { encodeStoreUrl, type StoreUrl } from "./settings.ts";

/** A store, and what its opener closes once the store is closed. */
export interface OpenedStore {
  readonly store: RunEventStore;
  release(): void;
}

/**
 * Opens the store that the URL names and brings its schema up to date. The folder of a database file is made.
 * @throws RunEventsError `store_unavailable` whose message is one line for the operator
 */
export async function openStore(storeUrl: StoreUrl): Promise<OpenedStore> {
  if (storeUrl.kind === "memory") return { store: createMemoryStore(), release() {} };
  let db: Database.Database | undefined;
  try {
    mkdirSync(dirname(storeUrl.path), { recursive: true });
    db = new Database(storeUrl.path);
    const store = createSqliteStore(db);
    await store.migrate();
    return { store, release: () => void db?.close() };
  } catch (cause) {
    db?.close();
    const message = `cannot open the store ${encodeStoreUrl(storeUrl)}: ${reasonOf(cause)}`;
    throw new RunEventsError("store_unavailable", message, { cause });
  }
}

/** What the driver said, which says more than what was made of it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
