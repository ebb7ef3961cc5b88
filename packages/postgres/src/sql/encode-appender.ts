import type { Appender } from "@tm/run-events-core/store";

/** The code of an input. The fences of workers are greater. */
export const INPUT = -1;
/** The code of an append without a fence. The codes of appenders that take the next fence are smaller. */
export const ANYBODY = -2;
export const OWNER = -3;
/** The code of a reaper without grace. With grace, the code is smaller by its milliseconds. */
export const REAPER = -4;

/** An appender as one number, which is what the statements take. */
export function encodeAppender(appender: Appender): number {
  switch (appender.by) {
    case "anybody":
      return ANYBODY;
    case "input":
      return INPUT;
    case "owner":
      return OWNER;
    case "worker":
      // No claim gets a fence below 1, so 0 matches no claimed run.
      return Math.max(appender.fence, 0);
    case "reaper":
      return REAPER - appender.graceMs;
  }
}
