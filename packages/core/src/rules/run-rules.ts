import type { LeaseOutcome } from "./claims.ts";
import type { CreateOutcome, NewRunRequest } from "./creation.ts";
import type { Decision, Rule } from "./decision.ts";
import { type DueKind, dueAt, dueKindOf } from "./due.ts";
import type { FailurePayload } from "./failure.ts";
import { recordOf, type Run } from "./head.ts";
import { advanceRun } from "./judge-append.ts";
import { NO_LEASE } from "./lease.ts";
import { claimRule } from "./lease-rules.ts";
import { INITIAL_STATE, isTerminal } from "./lifecycle.ts";

/**
 * The rule of a creation, and of its claim if it has one, in one step. If the run exists, its claim decides as any other.
 * @see clause S16 in `STORE.md`, clauses W35 and W36 in `WIRE.md` of `@tm/run-events-http`
 */
export function createRule(request: NewRunRequest): Rule<CreateOutcome> {
  const { runId, ownerId, metadata, topic = null, resumable = false } = request;
  const claim = request.claim ? claimRule({ ...request.claim, runId, ownerId }) : null;
  const exclusive = request.exclusive === true && topic !== null;
  return (seen): Decision<CreateOutcome, Run> => {
    const { head, holder, nowMs, ordinal } = seen;
    if (head !== null) {
      if (claim === null) return { answer: { outcome: "existing", run: recordOf(head) } };
      const { answer, ...written } = claim(seen);
      return { answer: outcomeOfClaim(answer), ...written };
    }
    if (exclusive && holder !== null) {
      return { answer: { outcome: "topic_busy", runId: holder.runId } };
    }
    const made: Run = {
      ...INITIAL_STATE,
      ...NO_LEASE,
      runId,
      ownerId,
      metadata,
      topic,
      ordinal,
      exclusive,
      resumable,
      revision: 0,
      lastSequence: 0,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      finishedAtMs: null,
      dueMs: nowMs,
      keptClaim: null,
      commits: [],
    };
    const after = claim?.({ ...seen, head: made }).after ?? made;
    return { answer: { outcome: "created", run: recordOf(after) }, after };
  };
}

/** The answer of a creation whose claim met an existing run, which it never finds gone or fenced. */
function outcomeOfClaim(outcome: LeaseOutcome): CreateOutcome {
  if (outcome.outcome === "granted") return { outcome: "existing", run: outcome.run };
  if (outcome.outcome === "claimed" || outcome.outcome === "finished") return outcome;
  throw new TypeError("Expected the claim of a run that exists to be granted, or refused.");
}

/** The outcome of a removal. `active`: the run has not finished, or not for long enough, and stays. */
export type RemovalOutcome = "deleted" | "not_found" | "active";

/**
 * The rule of a deletion, and with an age of a purge.
 * @param finishedForMs how long ago the run has to have finished, in milliseconds
 * @see clause S17 in `STORE.md`
 */
export function removalRule(finishedForMs = 0): Rule<RemovalOutcome> {
  return ({ head, nowMs }) => {
    if (head === null) return { answer: "not_found" };
    const isOld = isTerminal(head.runStatus) && dueAt(head) <= nowMs - finishedForMs;
    return isOld || (finishedForMs === 0 && isTerminal(head.runStatus))
      ? { answer: "deleted", after: null }
      : { answer: "active" };
  };
}

/** The outcome for a run that is due. `left`: it is not due after all. */
export type DueOutcome = "ended" | "released" | "left";

/** A limit for runs that wait for something. */
export interface DueLimit {
  readonly kind: Exclude<DueKind, "finished">;
  /** The time that a run may be past its due time, in milliseconds. */
  readonly limitMs: number;
}

/** Why a run ends that waits too long. @see clauses W33, W37 and W43 in `WIRE.md` of `@tm/run-events-http` */
const REASONS: Readonly<Record<DueLimit["kind"], FailurePayload["reason"]>> = {
  leased: "lease_expired",
  queued: "never_started",
  running: "abandoned",
  waiting: "abandoned",
};

/**
 * The rule of a reaper: it fails a run that is due, and takes the next fence, which shuts the worker out. Of a run that is resumable or waits
 * for a person it only releases the lease, because no worker has to be there. A run that the index has too early is put off.
 * @see clause S23 in `STORE.md`, clauses W33 and W37 in `WIRE.md` of `@tm/run-events-http`
 */
export function dueRule({ kind, limitMs }: DueLimit): Rule<DueOutcome> {
  return ({ head, nowMs }) => {
    if (head === null || dueKindOf(head) !== kind) return { answer: "left" };
    const atMs = dueAt(head);
    if (atMs > nowMs - limitMs) {
      return atMs > head.dueMs
        ? { answer: "left", after: { ...head, dueMs: atMs } }
        : { answer: "left" };
    }
    if (kind === "leased" && (head.resumable || head.runStatus === "waiting")) {
      return { answer: "released", after: { ...head, leaseExpiresAtMs: null, worker: null } };
    }
    const payload = JSON.stringify({ reason: REASONS[kind] });
    const events = [{ eventType: "RUN_FAILED", payload, phase: null }];
    const { run } = advanceRun(head, { events, appender: { by: "owner" } }, nowMs);
    return { answer: "ended", after: run, events };
  };
}
