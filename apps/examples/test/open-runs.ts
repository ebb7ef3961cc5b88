import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRunEvents, type OwnedRuns } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";

/** Makes a SQLite file for the programs of a recipe, and opens Ada's runs in it. Both are gone after the test. */
export async function openRuns(
  recipe: string,
): Promise<{ readonly path: string; readonly runs: OwnedRuns }> {
  const folder = await mkdtemp(join(tmpdir(), `run-events-${recipe}-`));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "runs.db");
  const db = new Database(path);
  const store = createSqliteStore(db);
  await store.migrate();
  const runs = createRunEvents({ store });
  onTestFinished(async () => {
    await runs.close();
    db.close();
  });
  return { path, runs: runs.as("ada") };
}
