import {
  type Appender,
  type AppendOutcome,
  type AppendRequest,
  parseExpectedSequence,
  parseIdempotencyKey,
} from "../rules/append.ts";
import type { EventDraft } from "../rules/event.ts";
import { type Ender, endPayload } from "../rules/failure.ts";
import { appenderOf } from "../rules/lease.ts";
import {
  type AppendLimits,
  planEvents,
  planInput,
  type PlannedEvents,
} from "../rules/lifecycle.ts";
import { ownerIdOf } from "../rules/owner.ts";
import { type AppendReceipt, receiptOf } from "../rules/receipt.ts";
import { checkRunId } from "../rules/run-id.ts";
import type { RunEventStore } from "../store/store.ts";
import { createAppendQueue } from "./append-queue.ts";
import { createOwnKeys } from "./own-keys.ts";
import type { AppendOptions, RunLog } from "./run-log.ts";
import type { SendTimes } from "./send-again.ts";

/** The bounds of callers' appends do not apply to an end that core writes itself. */
const NO_LIMITS: AppendLimits = { maxPayloadBytes: Infinity, maxBatchEvents: 1 };

/** The ways to append to a log. All share one queue. */
export interface Appends extends Pick<RunLog, "append" | "input"> {
  /** Ends the run as cancelled, even under a worker's lease. Answers `finished` if it has ended already. */
  cancel(runId: string, ownerId: string | null): Promise<AppendOutcome>;
  /** Ends the run as failed, since no worker works on it. @see clauses W33, W37 and W43 in `WIRE.md` of `@tm/run-events-http` */
  giveUp(runId: string, ender: Ender): Promise<AppendOutcome>;
  /** Resolves when nothing is on its way to the store. */
  idle(): Promise<void>;
}

/**
 * Makes the appends of a log.
 * @param times with `isClosing`: whether new appends are refused
 */
export function createAppends(
  store: Pick<RunEventStore, "append" | "capabilities">,
  limits: AppendLimits,
  times: SendTimes,
): Appends {
  const queue = createAppendQueue(store, times);
  const newKey = createOwnKeys();
  /** A store that can lose an acknowledgement gets a key for every append. @see clause S7 in `STORE.md` */
  const ownKey = (): string | null => (store.capabilities.losesAcknowledgements ? newKey() : null);

  function end(
    runId: string,
    draft: EventDraft,
    appender: Appender,
    ownerId: string | null,
  ): Promise<AppendOutcome> {
    const planned = planEvents([draft], NO_LIMITS);
    const conditions = { ownerId, idempotencyKey: ownKey(), expectedSequence: null, appender };
    return queue.add({ ...planned, ...conditions, runId });
  }

  async function land(
    runId: string,
    conditions: Omit<AppendOptions, "fence">,
    plan: () => PlannedEvents,
    appenderFor: () => Appender,
  ): Promise<AppendReceipt> {
    const { idempotencyKey } = conditions;
    const ownerId = ownerIdOf(conditions);
    checkRunId(runId);
    const planned = plan();
    const expectedSequence = parseExpectedSequence(conditions.expectedSequence);
    const key = idempotencyKey === undefined ? ownKey() : parseIdempotencyKey(idempotencyKey);
    const conditioned = { ownerId, idempotencyKey: key, expectedSequence, appender: appenderFor() };
    const request: AppendRequest = { ...planned, ...conditioned, runId };
    const receipt = receiptOf(await queue.add(request), request);
    // A caller without a key replays nothing: core sent its own key again.
    return idempotencyKey === undefined ? { ...receipt, replayed: false } : receipt;
  }

  return {
    append: (runId, drafts, conditions: AppendOptions = {}) =>
      land(
        runId,
        conditions,
        () => planEvents(drafts, limits),
        () => appenderOf(conditions.fence),
      ),
    input: (runId, payload, conditions = {}) =>
      land(
        runId,
        conditions,
        () => planInput(payload, limits),
        () => ({ by: "input" }),
      ),
    cancel: (runId, ownerId) =>
      end(runId, { eventType: "RUN_CANCELLED" }, { by: "owner" }, ownerId),
    giveUp: (runId, ender) =>
      end(runId, { eventType: "RUN_FAILED", payload: endPayload(ender) }, ender, null),
    idle: () => queue.idle(),
  };
}
