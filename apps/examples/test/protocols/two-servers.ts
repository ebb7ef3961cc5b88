import type { OwnedRuns } from "@tm/run-events-core";
import { onTestFinished } from "vitest";
import type { Edit } from "../edited-folder.ts";
import { openRuns } from "../open-runs.ts";
import type { RecipeProcess } from "../recipe-process.ts";
import { startRecipe } from "../start-recipe.ts";

/** The header of the user `ada` in the recipes. */
export const ADA = { authorization: "Bearer a-token-of-ada" };
/** The header of the user `bob`. */
export const BOB = { authorization: "Bearer a-token-of-bob" };

/** A store, and servers of a recipe on it. */
export interface Place {
  readonly runs: OwnedRuns;
  /** Starts a server, with some lines changed. It is killed when the test has finished, if not before. */
  start(...edits: readonly Edit[]): Promise<RecipeProcess>;
}

/** Makes a database for servers of a recipe. */
export async function openPlace(file: string): Promise<Place> {
  const { path, runs } = await openRuns("protocols");
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
  runs: OwnedRuns,
  eventType: string,
  count: number,
): Promise<boolean> {
  const [run] = (await runs.list()).runs;
  if (run === undefined) return false;
  const { events } = await runs.read(run.runId);
  return events.filter((event) => event.eventType === eventType).length >= count;
}
