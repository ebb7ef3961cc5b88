import type { AppendOutcome, AppendRequest } from "./append.ts";
import { RunEventsError, runFenced, runFinished, runNotFound } from "./errors.ts";
import type { RunStatus } from "./event.ts";

/** The receipt of an append that has landed. @see clauses W9 and W10 in `WIRE.md` of `@tm/run-events-http` */
export interface AppendReceipt {
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** The run's status and phase right after this append. */
  readonly runStatus: RunStatus;
  readonly currentPhase: string | null;
  /** Whether the key had been used before for these events: this is the original receipt, and nothing was written. */
  readonly replayed: boolean;
}

/** A phase's value from its JSON text. */
export function decodePhase(phase: string | null): string | null {
  return phase === null ? null : (JSON.parse(phase) as string);
}

/**
 * Turns the outcome of an append into a receipt or an error.
 * @param request the append: a refusal shows the sequence that it expected
 * @throws RunEventsError `not_found`, `idempotency_key_reused`, `run_finished`, `fenced`, `sequence_conflict`; `invalid_request` if the
 * run has no sequences left
 */
export function receiptOf(
  outcome: AppendOutcome,
  request: Pick<AppendRequest, "expectedSequence">,
): AppendReceipt {
  switch (outcome.outcome) {
    case "appended":
    case "replayed": {
      const { firstSequence, lastSequence, runStatus, phase } = outcome;
      const replayed = outcome.outcome === "replayed";
      return { firstSequence, lastSequence, runStatus, currentPhase: decodePhase(phase), replayed };
    }
    case "not_found":
      throw runNotFound();
    case "idempotency_key_reused":
      throw new RunEventsError(
        "idempotency_key_reused",
        "The idempotency key was used before, for other events. Send the same events again, or these under a new key.",
      );
    case "finished":
      throw runFinished(outcome.runStatus, outcome.lastSequence);
    case "fenced":
      throw runFenced();
    case "sequence_conflict": {
      const { lastSequence } = outcome;
      const { expectedSequence } = request;
      if (expectedSequence === null || expectedSequence === lastSequence) {
        throw new RunEventsError(
          "invalid_request",
          `Expected an append that ends before sequence ${Number.MAX_SAFE_INTEGER}, which is kept for the run's end, but the run is at ${lastSequence}. End the run, and go on in another.`,
        );
      }
      // A read from past the end would be refused.
      const since = Math.min(expectedSequence ?? 0, lastSequence);
      throw new RunEventsError(
        "sequence_conflict",
        `Expected the run's last sequence to be ${expectedSequence}, but it is ${lastSequence}. Read the run again from ${since}, then decide again.`,
        { details: { lastSequence } },
      );
    }
  }
}
