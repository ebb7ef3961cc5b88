import { describeValue } from "../rules/describe-value.ts";
import { RunEventsError } from "../rules/errors.ts";

/** @throws RunEventsError `invalid_request` unless a page of this size can be read */
export function checkLimit(name: string, limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1) return;
  throw new RunEventsError(
    "invalid_request",
    `Expected \`${name}\` to be a positive integer, got ${describeValue(limit)}. Leave it out for the default.`,
  );
}
