import type { NewEvent } from "@tm/run-events-core/store";
import { type KitStore, OWNER } from "./kit-store.ts";
import { foldEvent } from "@tm/run-events-core/wire";
import type { AppendLanding, AppendOutcome, AppendRequest } from "./core-calls.ts";
import { assertEqual } from "./assert.ts";
import { NO_EVENTS } from "./read-log.ts";

/** The conditions of a request, which most cases leave out. */
export type AppendConditions = Partial<
  Pick<AppendRequest, "ownerId" | "idempotencyKey" | "expectedSequence" | "appender">
>;

/** An event as core hands it to a store. */
export function event(eventType: string, payload = "null"): NewEvent {
  return { eventType, payload, phase: foldEvent(NO_EVENTS, { eventType, payload }).phase };
}

/** This many plain events, each with another payload. */
export function events(count: number): readonly NewEvent[] {
  return Array.from({ length: count }, (_, index) => event("TOKEN", `{"at":${index}}`));
}

/** A request as core makes it. */
export function appendRequest(
  runId: string,
  batch: readonly NewEvent[],
  conditions: AppendConditions = {},
): AppendRequest {
  return {
    runId,
    ownerId: OWNER,
    idempotencyKey: null,
    expectedSequence: null,
    appender: { by: "anybody" },
    ...conditions,
    events: batch,
  };
}

/** Sends one request alone. */
export async function append(
  store: KitStore,
  runId: string,
  batch: readonly NewEvent[],
  conditions: AppendConditions = {},
): Promise<AppendOutcome> {
  const outcomes = await store.append([appendRequest(runId, batch, conditions)]);
  assertEqual(outcomes.length, 1, "the number of outcomes of one request");
  return outcomes[0] as AppendOutcome;
}

/** Sends one request that has to land. */
export async function land(
  store: KitStore,
  runId: string,
  batch: readonly NewEvent[],
  conditions: AppendConditions = {},
): Promise<AppendLanding> {
  return landingOf(await append(store, runId, batch, conditions));
}

/** Where an append landed that has to have. */
export function landingOf(outcome: AppendOutcome): AppendLanding {
  assertEqual(outcome.outcome, "appended", "the outcome of an append");
  const { firstSequence, lastSequence, runStatus, phase } = outcome as AppendLanding;
  return { firstSequence, lastSequence, runStatus, phase };
}
