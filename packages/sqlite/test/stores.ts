import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { SqliteStoreOptions } from "../src/index.ts";
import type { Driver, Handle, HandleOptions } from "./drivers.ts";
import { createRuledStore, type RuledStore } from "./ruled-store.ts";

/** A path for a database file in its own folder, which is removed after the test. */
export function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "run-events-sqlite-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "run-events.db");
}

/** A handle that is closed after the test. */
export function openHandle(driver: Driver, file: string, options?: HandleOptions): Handle {
  const db = driver.open(file, options);
  onTestFinished(() => void db.close());
  return db;
}

/** A migrated store on its own handle; both are closed after the test. */
export async function openStore(
  driver: Driver,
  file: string,
  options?: SqliteStoreOptions,
): Promise<{ readonly db: Handle; readonly store: RuledStore }> {
  const db = openHandle(driver, file);
  const store = createRuledStore(db, options);
  onTestFinished(() => store.close());
  await store.migrate();
  return { db, store };
}
