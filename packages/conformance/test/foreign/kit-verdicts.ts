import { runEventStoreConformance, type StoreDoors } from "@tm/run-events-conformance";

/** The verdict of the kit on one clause. `missing`: all that fails is refused because a feature is missing. */
export interface ClauseVerdict {
  readonly clause: string;
  readonly verdict: "kept" | "broken" | "missing";
  /** The first case that decides the verdict, and its message in one line; `null` where all is kept. */
  readonly failure: { readonly name: string; readonly why: string } | null;
}

/** Which store is tried, and how to read its failures. */
export interface Tried<Place> extends StoreDoors<Place> {
  readonly name: string;
  /** Names of cases whose result hangs on who wins a race. They decide no verdict. */
  readonly byChance: readonly string[];
  /** The beginning of the message of a refusal because a feature is missing. */
  readonly missing: string;
  /** Default: all. */
  readonly clauses?: readonly string[];
}

interface Failure {
  readonly name: string;
  readonly why: string;
  readonly isMissing: boolean;
  /** A random case has another message each time. */
  readonly isRandom: boolean;
}

const LONGEST = 140;

/**
 * Runs the cases of the kit, one after the other, in the profile `quick`.
 * @returns their verdict on each clause: S1 and on, then W
 * @throws Error for a name in `byChance` that no case has
 */
export async function judgeStore<Place>(tried: Tried<Place>): Promise<readonly ClauseVerdict[]> {
  const failures = new Map<string, Failure[]>();
  const unknown = new Set(tried.byChance);
  const cases = runEventStoreConformance({ ...tried, profile: "quick" });
  for (const { name, clause, run } of cases) {
    if (tried.clauses?.includes(clause) === false) continue;
    const ofClause = failures.get(clause) ?? [];
    failures.set(clause, ofClause);
    const thrown: unknown = await run().then(
      () => null,
      (error: unknown) => error,
    );
    const isByChance = unknown.delete(name);
    if (thrown !== null && !isByChance) ofClause.push(failureOf(name, thrown, tried.missing));
  }
  if (unknown.size > 0) throw new Error(`No such case: ${[...unknown].join("; ")}`);
  return [...failures].map(([clause, all]) => verdictOf(clause, all)).toSorted(inOrder);
}

function verdictOf(clause: string, failures: readonly Failure[]): ClauseVerdict {
  const wrong = failures.filter(({ isMissing }) => !isMissing);
  const deciding = wrong.length > 0 ? wrong : failures;
  const said = deciding.find((one) => !one.isRandom) ?? deciding[0];
  if (said === undefined) return { clause, verdict: "kept", failure: null };
  const why = said.isRandom ? "a random input, another one each time" : said.why;
  const verdict = wrong.length > 0 ? "broken" : "missing";
  return { clause, verdict, failure: { name: said.name, why } };
}

function failureOf(name: string, thrown: unknown, missing: string): Failure {
  const messages: string[] = [];
  for (let error = thrown; error instanceof Error; error = error.cause)
    messages.push(error.message);
  const deepest = messages.at(-1) ?? String(thrown);
  // The kit's first line names the store and the case; beneath its own message are those of the causes.
  const [, ...lines] = messages[0]?.split("\n") ?? [];
  const ours = lines.filter((line) => !/^ +(at|caused by) /.test(line));
  const first = lines.length === 0 ? deepest : ours.join(" ");
  const whole = first.includes(deepest.split("\n")[0] ?? "") ? first : `${first} ${deepest}`;
  const isRandom = whole.includes("The input: ");
  return { name, why: oneLine(whole), isMissing: deepest.startsWith(missing), isRandom };
}

/** Without the number of events that a race has left. */
function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").replace(/left \d+ events/, "left … events");
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

function inOrder(one: ClauseVerdict, other: ClauseVerdict): number {
  const [a, b] = [one.clause, other.clause];
  return a[0] === b[0] ? Number(a.slice(1)) - Number(b.slice(1)) : a < b ? -1 : 1;
}
