import type { ClaimRequest, LeaseOutcome } from "./claims.ts";
import type { BusyOutcome, CreateOutcome, CreateRunRequest } from "./creation.ts";
import { timeInHead } from "./history.ts";
import { NO_LEASE } from "./lease.ts";
import { isVisible } from "./judge-append.ts";
import { INITIAL_STATE, isTerminal } from "./lifecycle.ts";
import type { ReadQuery } from "./page.ts";
import { recordOf } from "./plan-lease.ts";
import type { RunRecord } from "./run.ts";

/** A run to create. The store gives it its ordinal. */
export type NewRun = Omit<RunRecord, "ordinal">;

/**
 * Why a run is not created; `null` to create it. A claim in the request is not judged here: see {@link claimOfCreate}.
 * @param existing the head of the run with this id, `null` if it does not exist
 * @see clause S16 in `STORE.md`
 */
export function judgeCreate(
  existing: RunRecord | null,
  { ownerId }: CreateRunRequest,
): CreateOutcome | null {
  if (existing === null) return null;
  return existing.ownerId === ownerId
    ? { outcome: "existing", run: recordOf(existing) }
    : { outcome: "taken" };
}

/** The live runs of a topic, of which one is enough. */
interface PlaceQuery {
  readonly ownerId: string;
  readonly runStatus: "live";
  readonly topic: string;
  readonly before: null;
  readonly limit: 1;
}

/**
 * Asks for the live run that keeps an exclusive run from being created; `null` if nothing does. It need not be exclusive itself. In the
 * same atomic step the run is created, or {@link topicBusy} is the answer. If the run exists already, nothing is asked.
 * @see clause S25 in `STORE.md`
 */
export function placeQuery({
  ownerId,
  topic = null,
  exclusive = false,
}: CreateRunRequest): PlaceQuery | null {
  if (!exclusive || topic === null) return null;
  return { ownerId, runStatus: "live", topic, before: null, limit: 1 };
}

/** What an exclusive creation answers while the owner has this live run of the topic. @see clause S25 in `STORE.md` */
export function topicBusy({ runId }: Pick<RunRecord, "runId">): BusyOutcome {
  return { outcome: "topic_busy", runId };
}

/**
 * The claim in a creation, as a request of its own; `null` without one. A new run is claimed by it in the same step. If the run exists and
 * is the owner's, the claim decides as any other, and {@link outcomeOfClaim} is the answer.
 * @see clause S26 in `STORE.md`
 */
export function claimOfCreate({ runId, ownerId, claim }: CreateRunRequest): ClaimRequest | null {
  return claim === undefined || claim === null ? null : { ...claim, runId, ownerId };
}

/**
 * What a creation answers if its claim met an existing run.
 * @see clause S26 in `STORE.md`
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
      // A claim by owner and without a fence: only another owner's run refuses it like this.
      return { outcome: "taken" };
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
    idleFromMs: nowMs,
  };
}

/**
 * Why a run is not deleted; `null` to delete it.
 * @param run the head, `null` if it does not exist
 * @param ownerId as in {@link ReadQuery}
 * @see clause S17 in `STORE.md`
 */
export function judgeDelete(
  run: RunRecord | null,
  ownerId: string | null,
): "not_found" | "active" | null {
  if (run === null || !isVisible(run, ownerId)) return "not_found";
  return isTerminal(run.runStatus) ? null : "active";
}

/** What a read has to fetch in addition to the head. */
export interface ReadPlan {
  readonly wantsEvents: boolean;
  /** The time of the event `since`, as of `timeInHead`; `null` also if it is not asked for. */
  readonly timeAtSinceMs: number | null | undefined;
}

/**
 * What a read has to fetch; `null` if the read answers `null`.
 * @param run the head, `null` if it does not exist
 * @see clauses S9, S12 and S30 in `STORE.md`
 */
export function planRead(run: RunRecord | null, query: ReadQuery): ReadPlan | null {
  const { ownerId, since, withTime = false } = query;
  if (run === null || !isVisible(run, ownerId)) return null;
  const timeAtSinceMs = withTime ? timeInHead(run, since) : null;
  return { wantsEvents: since < run.lastSequence, timeAtSinceMs };
}
