import type { ConformanceCase } from "@tm/run-events-conformance";

/** Mutants of one kind, and how to try the kit on each. */
export interface MutantSuite {
  /** What they are, as the README calls them. */
  readonly title: string;
  readonly mutants: readonly JudgedMutant[];
}

/** One that breaks one promise. */
interface JudgedMutant {
  /** What it does wrong. */
  readonly name: string;
  /** The clause whose cases have to find it. */
  readonly clause: string;
  /** Runs the cases of its clause in the profile `ci`, with a seed of their own. */
  readonly judge: () => Promise<readonly Failure[]>;
}

/** A case that did not pass. */
export interface Failure {
  /** The name of the case. */
  readonly name: string;
  readonly message: string;
}

/** Runs cases at once; those that fail, in the order of the cases. */
export async function failuresAtOnce(
  cases: readonly ConformanceCase[],
): Promise<readonly Failure[]> {
  return (await Promise.all(cases.map(failureOf))).flat();
}

/** Runs cases one after the other: those that fail. */
export async function failuresInTurn(
  cases: readonly ConformanceCase[],
): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  for (const one of cases) failures.push(...(await failureOf(one)));
  return failures;
}

/** The cases of one clause. @throws TypeError if there is none */
export function casesOfClause(
  cases: readonly ConformanceCase[],
  clause: string,
): readonly ConformanceCase[] {
  const chosen = cases.filter((one) => one.clause === clause);
  if (chosen.length === 0) throw new TypeError(`Expected cases of ${clause}.`);
  return chosen;
}

async function failureOf({ name, run }: ConformanceCase): Promise<readonly Failure[]> {
  try {
    await run();
    return [];
  } catch (error) {
    return [{ name, message: (error as Error).message }];
  }
}
