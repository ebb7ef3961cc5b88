import type { CaseReport } from "./run-cases.ts";
import { causeOf } from "./same-causes.ts";

/**
 * Prints failures in full. A failure with a cause that was printed before gets only a reference to it. A drawn input is always
 * printed.
 * @returns what to print for a report; `null` for a case that passed
 */
export function createFailurePrinter(): (report: CaseReport) => string | null {
  const firstOf = new Map<string, string>();
  return ({ name, failure }) => {
    if (failure === null) return null;
    const { message, counterexample } = failure;
    const cause = causeOf(message);
    const first = firstOf.get(cause);
    if (first === undefined) firstOf.set(cause, name);
    if (first === undefined || counterexample !== null) return message;
    const [head = name] = message.split("\n", 1);
    return `${head}\nIt says what this case said: ${first}`;
  };
}
