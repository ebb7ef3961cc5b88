import { describeValue } from "./describe-value.ts";
import { RunEventsError } from "./errors.ts";

/**
 * Checks an option that is an integer.
 * @param most no limit by default
 * @param cure what to do about a refusal
 * @throws RunEventsError `invalid_request` unless the option is an integer from `least` to `most`
 */
export function checkBound(
  name: string,
  value: unknown,
  least: number,
  { most = Infinity, cure = "" }: { readonly most?: number; readonly cure?: string } = {},
): void {
  if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return;
  const bounds = most === Infinity ? `of ${least} or more` : `from ${least} to ${most}`;
  throw new RunEventsError(
    "invalid_request",
    `Expected \`${name}\` to be an integer ${bounds}, got ${describeValue(value)}.${cure}`,
  );
}
