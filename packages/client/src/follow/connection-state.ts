import type { RunEventsError, RunStatus } from "@tm/run-events-core";

/** What a follower does: `waiting` is between two attempts, `finished` and `failed` are for ever. */
export type FollowState = "connecting" | "live" | "waiting" | "polling" | "finished" | "failed";

/** Where a follower stands. */
export interface ConnectionState {
  readonly state: FollowState;
  /** As of the events that were handed over; `null` before the server's first word. @see W23 */
  readonly runStatus: RunStatus | null;
  readonly currentPhase: string | null;
  /** The sequence of the last event that was handed over: `since` to go on from here. */
  readonly cursor: number;
  /** Why the last attempt was lost, or why following failed; `null` while all is well. */
  readonly error: RunEventsError | null;
}
