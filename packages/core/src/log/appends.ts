import {
  type Appender,
  type AppendOutcome,
  parseExpectedSequence,
  parseIdempotencyKey,
} from "../rules/append.ts";
import { RunEventsError } from "../rules/errors.ts";
import type { NewEvent } from "../rules/event.ts";
import { utf8Bytes } from "../rules/json-text.ts";
import { appenderOf } from "../rules/lease.ts";
import { type AppendLimits, planEvents, planInput } from "../rules/lifecycle.ts";
import { ownerIdOf } from "../rules/owner.ts";
import { type AppendReceipt, receiptOf } from "../rules/receipt.ts";
import { checkRunId } from "../rules/run-id.ts";
import type { StoreCapabilities } from "../store/store.ts";
import { createCommitIds } from "./own-keys.ts";
import type { RunCalls } from "./run-calls.ts";
import type { AppendOptions, RunLog } from "./run-log.ts";

/** The bounds of callers' appends do not apply to an end that core writes itself. */
const NO_LIMITS: AppendLimits = { maxPayloadBytes: Infinity, maxBatchEvents: 1 };

/** The ways to append to a log. All share one queue. */
export interface Appends extends Pick<RunLog, "append" | "input"> {
  /** Ends the run as cancelled, even under a worker's lease. Answers `finished` if it has ended already. */
  cancel(runId: string, ownerId: string): Promise<AppendOutcome>;
}

export function createAppends(
  calls: Pick<RunCalls, "append">,
  { losesAnswers, mostBytes }: Pick<StoreCapabilities, "losesAnswers" | "mostBytes">,
  limits: AppendLimits,
): Appends {
  const newKey = createCommitIds();
  /** Where an answer may be lost, every append gets a key. @see clause S7 in `STORE.md` */
  const ownKey = (): string | null => (losesAnswers ? newKey() : null);

  async function land(
    runId: string,
    conditions: Omit<AppendOptions, "fence">,
    plan: () => readonly NewEvent[],
    appenderFor: () => Appender,
  ): Promise<AppendReceipt> {
    const ownerId = ownerIdOf(conditions);
    const { idempotencyKey } = conditions;
    checkRunId(runId);
    const events = plan();
    checkTogether(events, mostBytes);
    const expectedSequence = parseExpectedSequence(conditions.expectedSequence);
    const key = idempotencyKey === undefined ? ownKey() : parseIdempotencyKey(idempotencyKey);
    const conditioned = { ownerId, idempotencyKey: key, expectedSequence, appender: appenderFor() };
    const request = { ...conditioned, events, runId };
    const receipt = receiptOf(await calls.append(request), request);
    // A caller without a key replays nothing: core sent its own key again.
    return idempotencyKey === undefined ? { ...receipt, replayed: false } : receipt;
  }

  return {
    append: (runId, drafts, conditions: AppendOptions) =>
      land(
        runId,
        conditions,
        () => planEvents(drafts, limits),
        () => appenderOf(conditions.fence),
      ),
    input: (runId, payload, conditions) =>
      land(
        runId,
        conditions,
        () => planInput(payload, limits),
        () => ({ by: "input" }),
      ),
    cancel(runId, ownerId) {
      const events = planEvents([{ eventType: "RUN_CANCELLED" }], NO_LIMITS);
      const appender: Appender = { by: "owner" };
      const conditions = { idempotencyKey: ownKey(), expectedSequence: null, appender };
      return calls.append({ ...conditions, events, runId, ownerId });
    },
  };
}

/** @throws RunEventsError `payload_too_large` for more than a store takes in one call */
function checkTogether(events: readonly NewEvent[], mostBytes: number): void {
  const length = events.reduce((sum, { payload }) => sum + payload.length, 0);
  if (length * 3 <= mostBytes) return;
  const bytes = events.reduce((sum, { payload }) => sum + utf8Bytes(payload), 0);
  if (bytes <= mostBytes) return;
  throw new RunEventsError(
    "payload_too_large",
    `Expected the payloads of an append to take ${mostBytes} bytes of JSON at most together, which is what the store commits at once, got ${bytes}. Split them over several appends.`,
  );
}
