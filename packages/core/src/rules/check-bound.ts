import { RunEventsError } from "./errors.ts";

/** @throws RunEventsError `invalid_request` unless the option is an integer of `least` or more. */
export function checkBound(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RunEventsError(
      "invalid_request",
      `Expected \`${name}\` to be an integer of ${least} or more, got ${String(value)}.`,
    );
  }
}
