import type { RunEvents } from "@tm/run-events-core";
import { isRunLog } from "@tm/run-events-core/wire";

/**
 * Checks the options of a handler. `runs` may come from another copy of core.
 * @throws TypeError that names the option and what to pass
 */
export function checkOptions(options: {
  readonly runs: RunEvents;
  readonly authenticate: unknown;
}): void {
  const { runs, authenticate }: { runs: unknown; authenticate: unknown } = options;
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
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  return typeof value === "object" ? "another object" : `a ${typeof value}`;
}
