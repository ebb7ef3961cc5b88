import type { AppendLanding } from "./append.ts";
import type { NewEvent } from "./event.ts";
import type { Head, Run, RunName } from "./head.ts";
import type { KeptReceipt } from "./judge-append.ts";

/**
 * The state that a decision about one run sees, all of one instant or under the run's lock. `Known` is a {@link Head} for a store, and a {@link
 * Run} for a rule.
 */
export interface Seen<Known = Head> {
  /** `null` if the run does not exist. */
  readonly head: Known | null;
  /** The receipts that the run has of the idempotency keys that were asked for, with their events. */
  readonly receipts: ReadonlyMap<string, KeptReceipt>;
  /** The newest live run of the topic that was asked for; `null` without one. */
  readonly holder: RunName | null;
  /** The store's clock, read with the head or later. */
  readonly nowMs: number;
  /** For a run that does not exist: the ordinal that it gets if it is created now, above all others of its owner. Gaps are fine. */
  readonly ordinal: number;
}

/** A receipt to keep under its idempotency key. Its events are among those of the decision. */
export interface NewReceipt extends AppendLanding {
  readonly idempotencyKey: string;
}

/** A decision about one run: the answer, and what to commit. */
export interface Decision<Answer, Known = Head> {
  readonly answer: Answer;
  /** Missing: nothing is written. `null`: the run is removed whole. Otherwise it is saved, or created if there was none. */
  readonly after?: Known | null;
  /** Events to append, at the time that is `updatedAtMs` in `after`. */
  readonly events?: readonly NewEvent[];
  readonly receipts?: readonly NewReceipt[];
}

/**
 * A rule decides about one run. It is pure and total, and holds at any later time as long as the run is as it was seen: it may be called
 * again, and even after its own decision has landed.
 */
export type Rule<Answer> = (seen: Seen<Run>) => Decision<Answer, Run>;
