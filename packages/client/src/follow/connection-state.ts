import type { RunEventsError, RunStatus } from "@tm/run-events-core";

/**
 * The state of a follower. `live` reads over the stream. `paused` is between two attempts, or in a hidden tab. `finished` and `failed` are
 * final.
 */
export type FollowState = "connecting" | "live" | "paused" | "polling" | "finished" | "failed";

/** The state of a follower's connection, and what it has read so far. */
export interface ConnectionState {
  readonly state: FollowState;
  /**
   * The run's status; `null` before the server's first answer. It is terminal or `waiting` only once every event up to then was handed over.
   * @see clause W23 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly runStatus: RunStatus | null;
  /** The run's phase; `null` if it has none. */
  readonly currentPhase: string | null;
  /** The sequence of the last event that was handed over. To continue from here later, pass it as `since`. */
  readonly cursor: number;
  /** Why the last attempt was lost, or why following failed; `null` if neither happened. */
  readonly error: RunEventsError | null;
}
