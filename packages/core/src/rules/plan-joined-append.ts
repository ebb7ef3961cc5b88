import { type AppendOutcome, parseExpectedSequence, parseIdempotencyKey } from "./append.ts";
import { appendRule } from "./append-rule.ts";
import type { Decision, Seen } from "./decision.ts";
import { runNotFound } from "./errors.ts";
import { type EventDraft, MAX_BATCH_EVENTS, MAX_PAYLOAD_BYTES } from "./event.ts";
import { appenderOf } from "./lease.ts";
import type { RunName } from "./head.ts";
import { landOnce } from "./land-once.ts";
import { planEvents } from "./lifecycle.ts";
import { ownerIdOf } from "./owner.ts";
import { type AppendReceipt, receiptOf } from "./receipt.ts";
import { isRunId } from "./run-id.ts";

/** An append into the caller's own transaction. */
export interface JoinedAppend {
  readonly runId: string;
  /** 1 to 1,000 events. */
  readonly events: readonly EventDraft[];
  /** The owner of the run. */
  readonly ownerId: string;
  /** 1 to 128 printable ASCII characters. */
  readonly idempotencyKey?: string;
  /** Refuse unless the run's `lastSequence` is this: an integer, 0 or more. */
  readonly expectedSequence?: number;
  /** The fence of the caller's lease. Without it, a claimed run refuses the append. @see clause W32 in `WIRE.md` of `@tm/run-events-http` */
  readonly fence?: number;
}

const LIMITS = { maxPayloadBytes: MAX_PAYLOAD_BYTES, maxBatchEvents: MAX_BATCH_EVENTS };

/** An append into the caller's transaction, checked: the change of its run, and what its answer means. */
export interface PlannedJoin {
  readonly change: RunName & {
    readonly keys: readonly string[];
    decide(seen: Seen): Decision<AppendOutcome>;
  };
  /** @throws RunEventsError if the append was refused */
  receiptOf(outcome: AppendOutcome): AppendReceipt;
}

/**
 * Checks an append into the caller's transaction, as core checks all others, and plans its change.
 * @throws RunEventsError `not_found` for a value that is not a run id; `invalid_request`, `invalid_event`, `payload_too_large`
 * @throws TypeError unless the events are an array and `ownerId` is the id of an owner
 */
export function planJoinedAppend(append: JoinedAppend): PlannedJoin {
  const { runId, events, idempotencyKey, expectedSequence, fence } = append;
  const ownerId = ownerIdOf(append);
  if (!isRunId(runId)) throw runNotFound();
  const key = idempotencyKey === undefined ? null : parseIdempotencyKey(idempotencyKey);
  const request = {
    events: planEvents(events, LIMITS),
    runId,
    ownerId,
    idempotencyKey: key,
    expectedSequence: parseExpectedSequence(expectedSequence),
    appender: appenderOf(fence),
  };
  const decide = landOnce(appendRule(request), () => crypto.randomUUID());
  return {
    change: { ownerId, runId, keys: key === null ? [] : [key], decide },
    receiptOf: (outcome) => receiptOf(outcome, request),
  };
}
