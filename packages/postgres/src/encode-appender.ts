import type { Appender } from "@tm/run-events-core";

/** The codes of those who need no number: a fence is greater than both. */
export const ANYBODY = 0;
export const OWNER = -1;
/** The code of a reaper that gives no grace; one that gives some is so many milliseconds below. */
export const REAPER = -2;

/** An appender as one number, which is what the statements take. */
export function encodeAppender(appender: Appender): number {
  switch (appender.by) {
    case "anybody":
      return ANYBODY;
    case "owner":
      return OWNER;
    case "worker":
      return appender.fence;
    case "reaper":
      return REAPER - appender.graceMs;
  }
}
