import { RunEventsError } from "@tm/run-events-core";
import type { CreateClaim } from "../core-calls.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { CreateOperation, CreateResult, LeaseResult } from "./operation.ts";

/**
 * Creates a run with a claim, under the claim's key if it has one.
 * @returns the outcomes of the creation and of the claim; the latter is `null` if no claim was made
 */
export async function startIn(
  store: KitStore,
  { runId, topic }: CreateOperation,
  claim: CreateClaim,
  failures: RunEventsError[],
): Promise<{ readonly created: CreateResult; readonly claimed: LeaseResult | null }> {
  const named = { runId, ownerId: OWNER, metadata: "null", topic, exclusive: true };
  try {
    const answer = await store.createRun({ ...named, claim });
    switch (answer.outcome) {
      case "topic_busy":
        return { created: { outcome: answer.outcome, holder: answer.runId }, claimed: null };
      case "created":
      case "existing": {
        const { outcome, run } = answer;
        const { fence, lastSequence } = run;
        return { created: { outcome }, claimed: { outcome: "granted", fence, lastSequence } };
      }
      case "claimed":
      case "finished": {
        const { outcome } = answer;
        return { created: { outcome }, claimed: { outcome } };
      }
    }
  } catch (error) {
    if (!(error instanceof RunEventsError)) throw error;
    failures.push(error);
    const outcome = error.ambiguous ? "unknown" : "failed";
    return { created: { outcome }, claimed: { outcome } };
  }
}
