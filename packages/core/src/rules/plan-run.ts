import type { ClaimRequest, LeaseOutcome } from "./claims.ts";
import type { BusyOutcome, CreateOutcome, CreateRunRequest } from "./creation.ts";
import { NO_LEASE } from "./lease.ts";
import { INITIAL_STATE } from "./lifecycle.ts";
import type { RunRecord } from "./run.ts";

/** A run to create. The store gives it its ordinal. */
export type NewRun = Omit<RunRecord, "ordinal">;

/** What an exclusive creation answers while the owner has this live run of the topic. @see clause W35 in `WIRE.md` of `@tm/run-events-http` */
export function topicBusy({ runId }: Pick<RunRecord, "runId">): BusyOutcome {
  return { outcome: "topic_busy", runId };
}

/**
 * The claim in a creation, as a request of its own; `null` without one. A new run is claimed by it in the same step. If the run exists and
 * is the owner's, the claim decides as any other, and {@link outcomeOfClaim} is the answer.
 * @see clause W36 in `WIRE.md` of `@tm/run-events-http`
 */
export function claimOfCreate({ runId, ownerId, claim }: CreateRunRequest): ClaimRequest | null {
  return claim === undefined || claim === null ? null : { ...claim, runId, ownerId };
}

/**
 * What a creation answers if its claim met an existing run.
 * @see clause W36 in `WIRE.md` of `@tm/run-events-http`
 */
export function outcomeOfClaim(outcome: LeaseOutcome): CreateOutcome {
  switch (outcome.outcome) {
    case "granted":
      return { outcome: "existing", run: outcome.run };
    case "claimed":
    case "finished":
      return outcome;
    case "not_found":
    case "fenced":
      throw new TypeError("Expected the claim of a run that exists to be granted, or refused.");
  }
}

/**
 * The head of a new run.
 * @param nowMs the store's clock
 * @see clause S16 in `STORE.md`
 */
export function newRun(request: CreateRunRequest, nowMs: number): NewRun {
  const { runId, ownerId, metadata, topic = null } = request;
  return {
    ...INITIAL_STATE,
    ...NO_LEASE,
    runId,
    ownerId,
    lastSequence: 0,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    finishedAtMs: null,
    metadata,
    topic,
  };
}
