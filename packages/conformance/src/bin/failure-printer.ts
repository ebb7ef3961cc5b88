import type { CaseReport } from "./run-cases.ts";

/** The part of a message that failures of one cause share: the driver's message, else the first line. */
function causeOf(message: string): string {
  const [, ...lines] = message.split("\n");
  const beneath = lines.find((line) => line.startsWith("  caused by "));
  return (beneath ?? lines[0] ?? "").trim().replaceAll(/\d+/g, "N");
}

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
    return `${head}\nThe same cause as in: ${first}`;
  };
}
