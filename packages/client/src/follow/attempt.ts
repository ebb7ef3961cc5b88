import type { RunEvent } from "@tm/run-events-core";
import type { FollowLog } from "./follow-log.ts";
import type { Loss } from "./route.ts";

/** One attempt to follow a run: what its transport is given. */
export interface Attempt extends FollowLog {
  /** Says how the attempt is lost if it is lost from now on. */
  readonly expect: (loss: Loss) => void;
  /** Breaks the attempt off, and says why. It is made again. */
  readonly giveUp: (why: string) => void;
  /** Says that the server has spoken. */
  readonly onActivity: () => void;
  /** Sets what is called when the page is seen again. There is one listener at a time. */
  readonly onSeen: (listener: () => void) => void;
}

/**
 * What is read behind a cursor. An object and not a generator: where many runs are followed each suspended step counts, in time and
 * memory.
 */
export interface Reading {
  /**
   * The events that follow, some at a time, never none; in the end `true` if it is the run's, `false` if it is time to try another
   * way. To be called again once these are taken; the array is the caller's.
   * @throws RunEventsError if it is lost; the signal's reason
   */
  next(): Promise<RunEvent[] | boolean>;
  /** Ends it. Not to be called while `next` is pending. */
  end(): void;
}
