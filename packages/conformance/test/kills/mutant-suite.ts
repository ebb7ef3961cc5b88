import type { ConformanceCase } from "@tm/run-events-conformance";

/** Mutants of one kind, and how to try the kit on each. */
export interface MutantSuite {
  /** The name of the kind, as in the README. */
  readonly title: string;
  readonly mutants: readonly JudgedMutant[];
}

/** One that breaks one promise. */
interface JudgedMutant {
  /** A description of the fault. */
  readonly name: string;
  /** The clause whose cases have to find it. */
  readonly clause: string;
  /** Runs the cases of its clause in the profile `ci`, with a seed of their own; those that run in turn only until something is found. */
  readonly judge: (isFound?: (failure: Failure) => boolean) => Promise<readonly Failure[]>;
}

/** A case that did not pass. */
export interface Failure {
  /** The name of the case. */
  readonly name: string;
  readonly message: string;
}

/** The engine's error for a mistake in the code of this folder, also within a worker's report. */
const MISTAKE = /^.*\b(?:Type|Reference)Error: .*\n +at .*\/conformance\/test\//m;

/**
 * Runs cases at once; those that fail, in the order of the cases.
 * @throws Error if a mutant does not run
 */
export async function failuresAtOnce(
  cases: readonly ConformanceCase[],
): Promise<readonly Failure[]> {
  const settled = await Promise.allSettled(cases.map(failureOf));
  return settled.flatMap((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

/**
 * Runs cases one after the other: those that fail.
 * @param isFound whether a failure is the one that is looked for, so that no more cases need to run
 * @throws Error if a mutant does not run
 */
export async function failuresInTurn(
  cases: readonly ConformanceCase[],
  isFound: (failure: Failure) => boolean = () => false,
): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  for (const one of cases) {
    failures.push(...(await failureOf(one)));
    if (failures.some(isFound)) break;
  }
  return failures;
}

/** The cases of one clause. @throws TypeError if the clause has none */
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
    const errors = causesOf(error);
    if (errors.some(({ stack = "" }) => MISTAKE.test(stack))) {
      throw new Error(`Expected a mutant that runs; it threw a mistake of its own in: ${name}`, {
        cause: error,
      });
    }
    return [{ name, message: errors[0]?.message ?? String(error) }];
  }
}

function causesOf(error: unknown): readonly Error[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}
