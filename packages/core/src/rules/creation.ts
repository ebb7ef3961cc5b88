import type { FinishedOutcome } from "./append.ts";
import type { ClaimedOutcome, ClaimRequest } from "./claims.ts";
import type { RunName, RunRecord } from "./run.ts";

/** A request to create a run. Core has checked it. */
export interface NewRunRequest extends RunName {
  /** JSON text. */
  readonly metadata: string;
  /** As in `RunRecord`; missing for `null`. */
  readonly topic?: string | null;
  /**
   * Refuses the creation while the owner has a live run of the topic, which is not `null` then. Missing for `false`.
   * @see clause W35 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly exclusive?: boolean;
  /** Claims the run in the same step. Missing, or `null`, for a creation without a claim. @see clause W36 in `WIRE.md` of `@tm/run-events-http` */
  readonly claim?: CreateClaim | null;
  /** Whether the run outlives its workers: an expired lease is released, and never ends it; missing for `false`. */
  readonly resumable?: boolean;
}

/** The claim of a creation: of the run and the owner that it creates. */
export type CreateClaim = Omit<ClaimRequest, "runId" | "ownerId">;

/**
 * The outcome of a creation. `existing`: the same owner already has this run, and it is returned as it is. `topic_busy`: the creation is
 * exclusive, and the owner has this live run of the topic.
 * With a claim, `created` and `existing` have the run under the lease that was granted. A claim that an existing run refuses gives
 * the refusal.
 * @see clause S16 in `STORE.md`, clauses W35 and W36 in `WIRE.md` of `@tm/run-events-http`
 */
export type CreateOutcome =
  | { readonly outcome: "created" | "existing"; readonly run: RunRecord }
  | { readonly outcome: "topic_busy"; readonly runId: string }
  | ClaimedOutcome
  | FinishedOutcome;
