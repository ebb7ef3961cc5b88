import type { RunEventsErrorCode } from "@tm/run-events-core";

/** The outcome of one event, as its writer knows it. */
export interface Attempt {
  readonly runId: string;
  /** Names the event: no two attempts have the same. */
  readonly value: string;
  /** `null`: the store gave a key of its own, or none. */
  readonly idempotencyKey: string | null;
  readonly outcome: AttemptOutcome;
}

export type AttemptOutcome =
  /** Acknowledged; the sequence is `null` if the store does not return it, as for an emitted event. */
  | { readonly is: "landed"; readonly sequence: number | null }
  /** The store was away: the event may have landed, once. */
  | { readonly is: "in doubt" }
  /** The store says that the event has not landed. */
  | { readonly is: "refused"; readonly code: RunEventsErrorCode };

/** A claim that was granted. */
export interface GrantedClaim {
  readonly runId: string;
  readonly fence: number;
}

/** An event as a reader got it. */
export interface SeenEvent {
  readonly sequence: number;
  /** `null` for an event that ends the run. */
  readonly value: string | null;
  /** The fence under which it says that it was written. */
  readonly fence: number | null;
  readonly createdAt: string;
}

/** The events that one reader has followed from the first one on. */
export interface Reading {
  readonly runId: string;
  readonly events: readonly SeenEvent[];
  /** The way it ended: with the run, or with an error other than `store_unavailable`. */
  readonly end: "run" | RunEventsErrorCode;
}

/** A keyed append that was sent once more when all was over. */
interface Replay {
  readonly runId: string;
  readonly value: string;
  readonly isReplayed: boolean;
  readonly sequence: number;
}

/** All that was done to the runs of one play, and what they look like in the end. */
export interface History {
  readonly attempts: readonly Attempt[];
  readonly claims: readonly GrantedClaim[];
  readonly readings: readonly Reading[];
  readonly replays: readonly Replay[];
  /** Each run's log as each of the stores has it in the end, from the first event to the last. */
  readonly logs: readonly { readonly runId: string; readonly events: readonly SeenEvent[] }[];
}
