import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";
import type { Edit } from "../edited-folder.ts";
import type { RecipeProcess } from "../recipe-process.ts";
import { startRecipe } from "../start-recipe.ts";

/** The header of the user `ada` in the recipes. */
export const ADA = { authorization: "Bearer a-token-of-ada" };
/** The header of the user `bob`. */
export const BOB = { authorization: "Bearer a-token-of-bob" };

/** A store, and servers of a recipe on it. */
export interface Place {
  readonly runs: RunEvents;
  /** Starts a server, with some lines changed. It is killed when the test has finished, if not before. */
  start(...edits: readonly Edit[]): Promise<RecipeProcess>;
}

/** Makes a database for servers of a recipe. */
export async function openPlace(file: string): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "run-events-protocols-"));
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
  return {
    runs,
    async start(...edits) {
      const server = await startRecipe(`protocols/${file}`, edits, { DATABASE: path });
      onTestFinished(async () => void (await server.end("SIGKILL")));
      return server;
    },
  };
}

/** Resolves when the log of the newest run has so many events of a type. */
export async function hasEvents(
  runs: RunEvents,
  eventType: string,
  count: number,
): Promise<boolean> {
  const [run] = (await runs.list({ ownerId: "ada" })).runs;
  if (run === undefined) return false;
  const { events } = await runs.read(run.runId);
  return events.filter((event) => event.eventType === eventType).length >= count;
}
