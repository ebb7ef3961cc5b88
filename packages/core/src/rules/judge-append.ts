import type { AppendLanding, AppendOutcome, AppendRequest, FinishedOutcome } from "./append.ts";
import type { NewEvent, StoredEvent, TerminalStatus } from "./event.ts";
import { leaseAfter, isFenced } from "./lease.ts";
import { changeOf, isTerminal, statusAfter } from "./lifecycle.ts";
import type { RunRecord } from "./run.ts";

/** The receipt that a run has under an idempotency key, with the run's state right after that append. */
export interface KeptReceipt extends AppendLanding {
  /** The events of that append, in order. */
  readonly events: readonly Pick<StoredEvent, "eventType" | "payload">[];
}

/**
 * Judges a request: its refusal or replay, or `null` if it is to be appended. The one order of outcomes of all adapters.
 * @param run the run's head, `null` if it does not exist
 * @param receipt what the run has under the request's key, `null` if nothing
 */
export function judgeAppend(
  run: RunRecord | null,
  receipt: KeptReceipt | null,
  request: AppendRequest,
): AppendOutcome | null {
  if (run === null) return { outcome: "not_found" };
  if (receipt !== null) {
    if (!isSameBatch(receipt.events, request.events)) return { outcome: "idempotency_key_reused" };
    const { firstSequence, lastSequence, phase, runStatus } = receipt;
    return { outcome: "replayed", firstSequence, lastSequence, phase, runStatus };
  }
  const { runStatus, lastSequence } = run;
  const { expectedSequence, events } = request;
  if (isTerminal(runStatus)) return finishedOutcome(run, runStatus);
  if (isFenced(run, request.appender)) return { outcome: "fenced" };
  const isExpected = expectedSequence === null || expectedSequence === lastSequence;
  // The last sequence is kept for the event that ends the run.
  const most = isTerminal(changeOf(events)) ? Number.MAX_SAFE_INTEGER : Number.MAX_SAFE_INTEGER - 1;
  if (!isExpected || lastSequence + events.length > most) {
    return { outcome: "sequence_conflict", lastSequence };
  }
  return null;
}

/** The refusal of a run that has ended. */
export function finishedOutcome(
  { lastSequence }: RunRecord,
  runStatus: TerminalStatus,
): FinishedOutcome {
  return { outcome: "finished", runStatus, lastSequence };
}

function isSameBatch(kept: KeptReceipt["events"], events: readonly NewEvent[]): boolean {
  return (
    kept.length === events.length &&
    kept.every(
      (event, at) =>
        event.eventType === events[at]?.eventType && event.payload === events[at].payload,
    )
  );
}

/**
 * The run's head after an append that {@link judgeAppend} let through, and where it landed.
 * @param nowMs the store's clock; time never runs backwards within a run (clause W2 in `WIRE.md` of `@tm/run-events-http`)
 */
export function advanceRun<Head extends RunRecord>(
  run: Head,
  { events, appender }: Pick<AppendRequest, "events" | "appender">,
  nowMs: number,
): { readonly run: Head; readonly landing: AppendLanding } {
  const change = changeOf(events);
  const runStatus = statusAfter(run.runStatus, change);
  const updatedAtMs = Math.max(nowMs, run.updatedAtMs);
  const lastSequence = run.lastSequence + events.length;
  const phase = events.findLast((event) => event.phase !== null)?.phase ?? run.phase;
  return {
    run: {
      ...run,
      ...leaseAfter(run, { appender, change }),
      runStatus,
      phase,
      lastSequence,
      updatedAtMs,
      finishedAtMs: isTerminal(runStatus) ? updatedAtMs : null,
    },
    landing: { firstSequence: run.lastSequence + 1, lastSequence, runStatus, phase },
  };
}
