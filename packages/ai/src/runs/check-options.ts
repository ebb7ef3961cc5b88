import type { WorkOptions } from "@tm/run-events-core";
import { checkEmitOptions, requests } from "@tm/run-events-core/wire";

/** Options that `runs.work` gets, but only once a stream begins. */
interface WorkSettings extends Pick<WorkOptions, "mergeMs" | "describeError"> {
  readonly leaseMs?: number | undefined;
}

/**
 * Checks options of work when a program gives them, by the rules of `runs.work`.
 * @throws TypeError unless they can be used
 */
export function checkWorkSettings({ leaseMs, mergeMs, describeError }: WorkSettings): void {
  const mistake = leaseMs === undefined ? null : requests.leaseMistake(leaseMs);
  if (mistake !== null) throw new TypeError(mistake);
  checkEmitOptions({ mergeMs });
  requests.checkEndOptions({ describeError });
}

/** @throws TypeError unless the option is a time of so many milliseconds or more, or `Infinity` */
export function checkTime(name: string, ms: unknown, leastMs: number): void {
  if (typeof ms === "number" && ms >= leastMs) return;
  throw new TypeError(
    `Expected \`${name}\` to be a number of ${leastMs} or more, got ${typeof ms === "number" ? ms : typeof ms}. It is in milliseconds.`,
  );
}
