import type { RunEvents } from "@tm/run-events-core";

/**
 * Checks that a handler can work with these options.
 * @throws TypeError that says what to pass
 */
export function checkOptions(options: {
  readonly runs: RunEvents;
  readonly authenticate: unknown;
}): void {
  const { runs, authenticate }: { runs: unknown; authenticate: unknown } = options;
  if (!isRunEvents(runs)) {
    throw new TypeError(
      `Expected \`runs\` to be what \`createRunEvents({ store })\` of this @tm/run-events-core returns, got ${describe(runs)}.`,
    );
  }
  if (typeof authenticate !== "function") {
    throw new TypeError(
      `Expected \`authenticate\` to be a function that says whose request it is, got ${describe(authenticate)}. To let everybody in, return a \`userId\` of your choice.`,
    );
  }
}

function isRunEvents(runs: unknown): boolean {
  if (typeof runs !== "object" || runs === null || !("log" in runs)) return false;
  const { log } = runs;
  return typeof log === "object" && log !== null && "append" in log && "readPage" in log;
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  return typeof value === "object" ? "another object" : `a ${typeof value}`;
}
