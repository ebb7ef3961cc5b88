import type { RunEvent } from "@tm/run-events-core";
import type { FollowLog } from "./follow-log.ts";
import type { Loss } from "./route.ts";

/** What a transport gets for one attempt to follow a run. */
export interface Attempt extends Omit<FollowLog, "seek"> {
  /** Sets which kind of loss it is if the attempt is lost from now on. */
  readonly expect: (loss: Loss) => void;
  /** Ends the attempt for this reason. Another one follows. */
  readonly giveUp: (why: string) => void;
  /** Sets the one listener that is called when the page becomes visible again. */
  readonly onSeen: (listener: () => void) => void;
}

/**
 * Reads the events after a cursor. It is an object and not a generator, because each suspended step costs time and memory where
 * many runs are followed.
 */
export interface Reading {
  /**
   * Resolves with the next events, at least one. Resolves with `true` after the run's end, and with `false` when it is time to try
   * another transport. Call it again once the events are handled. The array is the caller's.
   * @throws RunEventsError if the attempt is lost
   * @throws the signal's reason
   */
  next(): Promise<RunEvent[] | boolean>;
  /** Ends the reading. Not to be called while `next` is pending. */
  end(): void;
}
