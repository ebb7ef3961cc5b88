import type { Appender } from "@tm/run-events-core/store";

/** The code of an append without a fence. Fences are greater; the codes of appenders that take the next fence are smaller. */
export const ANYBODY = -1;
export const OWNER = -2;
/** The code of a reaper without grace. With grace, the code is smaller by its milliseconds. */
export const REAPER = -3;

/** An appender as one number, which is what the statements take. */
export function encodeAppender(appender: Appender): number {
  switch (appender.by) {
    case "anybody":
      return ANYBODY;
    case "owner":
      return OWNER;
    case "worker":
      // No claim gets a fence below 1, so 0 matches no claimed run.
      return Math.max(appender.fence, 0);
    case "reaper":
      return REAPER - appender.graceMs;
  }
}
