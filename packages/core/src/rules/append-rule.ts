import type { AppendLanding, AppendOutcome, AppendRequest } from "./append.ts";
import type { Decision, Rule } from "./decision.ts";
import type { NewEvent } from "./event.ts";
import type { Head, Run, RunName } from "./head.ts";
import { advanceRun, judgeAppend } from "./judge-append.ts";
import { changeOf } from "./lifecycle.ts";

/** The rule of an append. @see clauses W9 to W11, W32 and W39 in `WIRE.md` of `@tm/run-events-http` */
export function appendRule(request: AppendRequest): Rule<AppendOutcome> {
  const { idempotencyKey } = request;
  return ({ head, receipts, nowMs }): Decision<AppendOutcome, Run> => {
    const receipt = idempotencyKey === null ? null : (receipts.get(idempotencyKey) ?? null);
    const refusal = judgeAppend(head, receipt, request);
    if (refusal !== null || head === null) return { answer: refusal ?? { outcome: "not_found" } };
    const { run, landing } = advanceRun(head, request, nowMs);
    return {
      answer: { outcome: "appended", ...landing },
      after: run,
      events: request.events,
      receipts: idempotencyKey === null ? [] : [{ idempotencyKey, ...landing }],
    };
  };
}

/**
 * An append or a renewal of the plain case, which a store commits in one step: to a running or waiting run, by the writer that its head
 * names, under a new key. It changes nothing that an index holds.
 */
export interface Plain extends RunName {
  /** None if only the lease is renewed. */
  readonly events: readonly NewEvent[];
  /** The lease's fence; `null` for a run without a lease. */
  readonly fence: number | null;
  /** Renews the lease, in the same step and by the store's clock. */
  readonly leaseMs: number | null;
  /** The run's last sequence; `null` allows any. */
  readonly expectedSequence: number | null;
  /** A key that the run does not have yet. */
  readonly idempotencyKey: string | null;
}

/** Where a {@link Plain} landed. Without events, `firstSequence` is one more than `lastSequence`. */
export interface PlainLanding extends AppendLanding {
  readonly leaseExpiresAtMs: number | null;
}

/** The plain case of a request; `null` if only a rule can decide it. */
export function plainOf(request: AppendRequest & RunName): Plain | null {
  const { ownerId, runId, events, appender, expectedSequence, idempotencyKey } = request;
  if (changeOf(events) !== "started" || (appender.by !== "anybody" && appender.by !== "worker"))
    return null;
  const fence = appender.by === "worker" ? appender.fence : null;
  return { ownerId, runId, events, fence, leaseMs: null, expectedSequence, idempotencyKey };
}

/**
 * Takes a plain append or renewal, whose key is new.
 * @param nowMs the store's clock
 * @returns the head after it, and where it landed; `null` unless it is plain for this head
 */
export function takePlain(
  head: Head | null,
  plain: Plain,
  nowMs: number,
): { readonly after: Head; readonly landing: PlainLanding } | null {
  if (!takesPlain(head, plain, nowMs)) return null;
  const after = headAfterPlain(head, plain, nowMs);
  return { after, landing: landingOf(after, plain) };
}

/** Whether it is plain for this head: exactly what a store's fast statement compares. The rules accept all that is plain. */
export function takesPlain(head: Head | null, plain: Plain, nowMs: number): head is Head {
  if (head === null) return false;
  const { runStatus, fence, leaseExpiresAtMs, lastSequence, dueMs } = head;
  const { events, leaseMs, expectedSequence } = plain;
  return (
    (runStatus === "running" || runStatus === "waiting") &&
    plain.fence === (leaseExpiresAtMs === null ? null : fence) &&
    (expectedSequence === null || expectedSequence === lastSequence) &&
    // The last sequence is kept for the event that ends the run.
    lastSequence + events.length < Number.MAX_SAFE_INTEGER &&
    // Otherwise the index would find the lease too late.
    (leaseMs === null || dueMs <= nowMs + leaseMs)
  );
}

/** The head after a plain append or renewal that it takes. */
export function headAfterPlain(head: Head, plain: Plain, nowMs: number): Head {
  const { events, leaseMs } = plain;
  return {
    ...head,
    revision: head.revision + 1,
    lastSequence: head.lastSequence + events.length,
    updatedAtMs: events.length === 0 ? head.updatedAtMs : Math.max(nowMs, head.updatedAtMs),
    phase: events.findLast(({ phase }) => phase !== null)?.phase ?? head.phase,
    leaseExpiresAtMs: leaseMs === null ? head.leaseExpiresAtMs : nowMs + leaseMs,
  };
}

/** Where a plain append or renewal landed, from the head after it. */
export function landingOf(after: Head, { events }: Plain): PlainLanding {
  const { lastSequence, runStatus, phase, leaseExpiresAtMs } = after;
  const firstSequence = lastSequence - events.length + 1;
  return { firstSequence, lastSequence, runStatus, phase, leaseExpiresAtMs };
}
