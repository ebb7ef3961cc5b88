import type { Appender, LiveStatus } from "@tm/run-events-core/store";

/** The code of an input. The fences of workers are greater. */
export const INPUT = -1;
/** The code of an append without a fence. The codes of appenders that take the next fence are smaller. */
export const ANYBODY = -2;
export const OWNER = -3;
/**
 * The code of a reaper without grace. The codes of reapers and sweepers are smaller than it by their milliseconds times four, and by the
 * position of a sweeper's status in `SWEPT`, from 1.
 */
export const REAPER = -4;
/** How many codes a millisecond has. */
export const KINDS = 4;
/** The statuses of the runs that a sweeper may end. */
export const SWEPT: readonly LiveStatus[] = ["queued", "running", "waiting"];
/** More milliseconds than have passed since 1970, so that no run is due. Its code is a safe integer. */
const NEVER_MS = 2 ** 50;

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
      return REAPER - KINDS * Math.min(appender.graceMs, NEVER_MS);
    case "sweeper":
      return (
        REAPER -
        KINDS * Math.min(appender.idleForMs, NEVER_MS) -
        SWEPT.indexOf(appender.runStatus) -
        1
      );
  }
}
