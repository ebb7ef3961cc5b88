import type { RunEventsOptions } from "../src/log/run-log.ts";
import type { OwnedRuns } from "../src/run-events.ts";
import { createRunEvents } from "../src/create-run-events.ts";
import type { RunEvents } from "../src/run-events.ts";

/** Whose runs they are, for tests that are not about owners. */
export const ADA = { ownerId: "ada" } as const;

/** The calls of one owner, ada, and those that are about no owner. */
export type AdasRuns = OwnedRuns & Omit<RunEvents, keyof OwnedRuns>;

/** Makes runs whose calls are ada's. */
export function createAdasRuns(options: RunEventsOptions): AdasRuns {
  const runs = createRunEvents(options);
  return { ...runs, ...runs.as("ada") };
}
