import type { CaseReport } from "./run-cases.ts";

/** Cases that failed for the same reason, in the order in which they ran. */
export interface Cause {
  /** The text of all, without the numbers in which they differ. */
  readonly text: string;
  /** Their names; two at least. */
  readonly cases: readonly [string, string, ...string[]];
}

/** The part of a message that failures of one cause share: the driver's message, else the first line. */
function causeOf(message: string): string {
  const [, ...lines] = message.split("\n");
  const beneath = lines.find((line) => line.startsWith("  caused by "));
  return (beneath ?? lines[0] ?? "").trim().replaceAll(/\d+/g, "N");
}

/** The causes of more than one failed case, those of most cases first. */
export function sameCauses(reports: readonly CaseReport[]): readonly Cause[] {
  const failed = reports.flatMap(({ name, failure }) =>
    failure === null ? [] : [{ name, text: causeOf(failure.message) }],
  );
  const groups = [...Map.groupBy(failed, ({ text }) => text)];
  return groups
    .flatMap(([text, group]) => {
      const [first, second, ...others] = group.map(({ name }) => name);
      return first === undefined || second === undefined
        ? []
        : [{ text, cases: [first, second, ...others] as const }];
    })
    .toSorted((one, other) => other.cases.length - one.cases.length);
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
