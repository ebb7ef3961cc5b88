import type { Appender } from "@tm/run-events-core/store";

/** A fence is greater than this code, and those who take the next fence have smaller ones. */
export const ANYBODY = -1;
export const OWNER = -2;
/** The code of a reaper that gives no grace; one that gives some is so many milliseconds below. */
export const REAPER = -3;

/** An appender as one number, which is what the statements take. */
export function encodeAppender(appender: Appender): number {
  switch (appender.by) {
    case "anybody":
      return ANYBODY;
    case "owner":
      return OWNER;
    case "worker":
      // None below was ever given out, and 0 is no run's either that somebody has.
      return Math.max(appender.fence, 0);
    case "reaper":
      return REAPER - appender.graceMs;
  }
}
