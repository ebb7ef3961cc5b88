import { RunEventsError } from "@tm/run-events-core";
import type { NewEvent } from "@tm/run-events-core/store";
import type { AppendOutcome } from "../core-calls.ts";
import { append, landingOf } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import type { Stage } from "./stage.ts";
import type { StagedStore } from "./staged-store.ts";

/** The batches of a writer, and their run. */
export interface Writing {
  readonly runId: string;
  readonly batches: readonly (readonly NewEvent[])[];
  readonly staged: readonly StagedStore[];
  readonly stage: Stage;
}

/**
 * Appends batch after batch through the first store object that is not closed, and goes on through the next one when it is:
 * under a key, where that may happen, so that what landed without an answer lands once. Ends early when all are closed.
 * @throws Error for a batch that does not land after the one before
 */
export async function writeBatches(writing: Writing, isKeyed: boolean): Promise<void> {
  let last = 0;
  for (const batch of writing.batches) {
    await writing.stage.turn("the writer goes on");
    const key = isKeyed ? `after ${last}` : null;
    const outcome = await writeBatch(writing, batch, key);
    if (outcome === null) return;
    const isLanded = outcome.outcome === "replayed" && isKeyed;
    const landing = landingOf(isLanded ? { ...outcome, outcome: "appended" } : outcome);
    const { firstSequence, lastSequence } = landing;
    const expected = [last + 1, last + batch.length];
    assertEqual([firstSequence, lastSequence], expected, "where the only writer's batch landed");
    last = lastSequence;
  }
}

/** @returns what became of it, `null` if all store objects are closed */
async function writeBatch(
  { runId, staged }: Writing,
  batch: readonly NewEvent[],
  idempotencyKey: string | null,
): Promise<AppendOutcome | null> {
  for (const one of staged) {
    try {
      if (!one.isClosing) return await append(one.store, runId, batch, { idempotencyKey });
    } catch (error) {
      const isClosed = error instanceof RunEventsError && error.code === "store_unavailable";
      if (!isClosed || !one.isClosing) throw error;
    }
  }
  return null;
}
