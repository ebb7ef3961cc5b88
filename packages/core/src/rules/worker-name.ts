import { checkShortText, isShortText } from "./short-text.ts";

/** The most characters of a worker's name. @see clause W44 in `WIRE.md` of `@tm/run-events-http` */
const MAX_WORKER_NAME = 100;

/** Whether a worker may have this name. @see clause W44 in `WIRE.md` of `@tm/run-events-http` */
export function isWorkerName(name: unknown): name is string {
  return isShortText(name, MAX_WORKER_NAME);
}

/**
 * Passes on the name of a worker; `null` for none. A refusal never shows the name.
 * @throws RunEventsError `invalid_request` unless it is `null` or a text of 1 to 100 characters without control characters
 * @see clause W44 in `WIRE.md` of `@tm/run-events-http`
 */
export function checkWorkerName(name: unknown): string | null {
  return checkShortText("worker", name, MAX_WORKER_NAME);
}
