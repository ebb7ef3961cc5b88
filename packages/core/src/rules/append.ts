import { checkBound } from "./check-bound.ts";
import { describeValue } from "./describe-value.ts";
import { RunEventsError } from "./errors.ts";
import type { NewEvent, TerminalStatus } from "./event.ts";
import type { RunState } from "./lifecycle.ts";
import type { RunName } from "./run.ts";

/**
 * The role in which an append is made. It decides whether a lease refuses the append:
 *
 * - `anybody`: lands unless the run is claimed.
 * - `worker`: lands if this is the fence of the lease.
 * - `owner`: always lands, takes the next fence and ends the lease, in the same step.
 * - `input`: always lands, and leaves lease and fence as they are. Its batch is one `INPUT_RECEIVED`; no other batch has one.
 */
export type Appender =
  | { readonly by: "anybody" | "owner" | "input" }
  | { readonly by: "worker"; readonly fence: number };

/**
 * One atomic append, checked. The run's status becomes what `statusAfter` makes of it and of `changeOf(events)`. Its phase becomes the last
 * `phase` in `events` that is not `null`, if there is one. `finishedAtMs` becomes the events' time if the run has ended.
 * @see clause S2 in `STORE.md`
 */
export interface AppendRequest extends RunName {
  /** At least one. Only the last can be terminal. */
  readonly events: readonly NewEvent[];
  readonly idempotencyKey: string | null;
  /** Refuse unless the run's `lastSequence` is this; `null` allows any. */
  readonly expectedSequence: number | null;
  /** The appender: `isFenced` refuses by it, and `leaseAfter` is the lease after the append. */
  readonly appender: Appender;
}

/** Where an append landed, with the run's state right after it. */
export interface AppendLanding extends RunState {
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/** The run has finished, so it takes no more events. */
export interface FinishedOutcome {
  readonly outcome: "finished";
  readonly runStatus: TerminalStatus;
  readonly lastSequence: number;
}

/**
 * The outcome of one append, judged in this order: `not_found`, the idempotency key (`replayed` with the original
 * landing, or `idempotency_key_reused`), `finished`, `fenced`, `sequence_conflict`, `appended`. A refused append changes
 * nothing.
 * @see clauses W9 to W11 and W32 in `WIRE.md` of `@tm/run-events-http`
 */
export type AppendOutcome =
  | ({ readonly outcome: "appended" | "replayed" } & AppendLanding)
  | { readonly outcome: "not_found" }
  | { readonly outcome: "idempotency_key_reused" }
  | FinishedOutcome
  | { readonly outcome: "fenced" }
  | { readonly outcome: "sequence_conflict"; readonly lastSequence: number };

const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,128}$/;

/**
 * Passes on a key that an append may carry.
 * @throws RunEventsError `invalid_request` unless it is 1 to 128 printable ASCII characters
 * @see clause W10 in `WIRE.md` of `@tm/run-events-http`
 */
export function parseIdempotencyKey(text: string): string {
  if (typeof text !== "string" || !IDEMPOTENCY_KEY.test(text)) {
    throw new RunEventsError(
      "invalid_request",
      `Expected an idempotency key of 1 to 128 printable ASCII characters, got ${describeValue(text)}. Pass a short id, such as a UUID.`,
    );
  }
  return text;
}

/**
 * Passes on the last sequence that an append expects of its run; `null` if it expects none.
 * @throws RunEventsError `invalid_request` unless it is an integer, 0 or more
 * @see clause W11 in `WIRE.md` of `@tm/run-events-http`
 */
export function parseExpectedSequence(expected: number | null | undefined): number | null {
  if (expected === undefined || expected === null) return null;
  checkBound("expectedSequence", expected, 0, {
    cure: " Pass the last sequence that you have read.",
  });
  return expected;
}
