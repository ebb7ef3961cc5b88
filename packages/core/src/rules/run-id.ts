import { describeValue } from "./describe-value.ts";
import { runNotFound } from "./errors.ts";

const RUN_ID = /^[A-Za-z0-9_-]{1,128}$/;

/** Whether the text can name a run. @see clause W8 in `WIRE.md` of `@tm/run-events-http` */
export function isRunId(text: string): boolean {
  return typeof text === "string" && RUN_ID.test(text);
}

/**
 * Whether no run can be created with this id: its path is that of the stream of many runs.
 * @see clauses W8 and W47 in `WIRE.md` of `@tm/run-events-http`
 */
export function isReserved(runId: string): boolean {
  return runId === "stream";
}

/**
 * Refuses an id that no run can have, before any store is asked.
 * @throws TypeError if it is not a string
 * @throws RunEventsError `not_found`
 * @see clause W8 in `WIRE.md` of `@tm/run-events-http`
 */
export function checkRunId(text: string): void {
  if (typeof text !== "string") {
    throw new TypeError(`Expected runId to be a string, got ${describeValue(text)}.`);
  }
  if (!RUN_ID.test(text)) throw runNotFound();
}
