import type { RunEvents } from "@tm/run-events-core";
import { isRunLog } from "@tm/run-events-core/wire";

/**
 * Checks the options of a handler. `runs` may come from another copy of core.
 * @throws TypeError that names the option and what to pass
 */
export function checkOptions(options: {
  readonly runs: RunEvents;
  readonly authenticate: unknown;
  readonly maxBytesPerUser?: unknown;
}): void {
  const { runs, authenticate }: { runs: unknown; authenticate: unknown } = options;
  const { maxBytesPerUser = 1 } = options;
  const log = typeof runs === "object" && runs !== null && "log" in runs ? runs.log : undefined;
  if (!isRunLog(log)) {
    throw new TypeError(
      `Expected \`runs\` to be what \`createRunEvents({ store })\` of @tm/run-events-core returns, got ${describe(runs)}.`,
    );
  }
  if (typeof authenticate !== "function") {
    throw new TypeError(
      `Expected \`authenticate\` to be a function that returns the user of a request, got ${describe(authenticate)}. To let everyone in, return a \`userId\` of your choice.`,
    );
  }
  // A user's only body or answer passes any bound, but no page passes one under 1.
  if (typeof maxBytesPerUser !== "number" || !(maxBytesPerUser >= 1)) {
    throw new TypeError(
      `Expected \`maxBytesPerUser\` to be a number of bytes, 1 or more, got ${String(maxBytesPerUser)}. A page takes up to 4,194,304. Leave the option out for 33,554,432.`,
    );
  }
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  return typeof value === "object" ? "another object" : `a ${typeof value}`;
}
