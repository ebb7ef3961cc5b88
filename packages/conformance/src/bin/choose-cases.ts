import { dirname, join } from "node:path";
import type { ConformanceCase } from "../conformance-case.ts";
import { type ConformanceOptions, createCases } from "../conformance.ts";
import { createFileExamples, type FileExamples } from "../file-examples.ts";
import type { ProfileName } from "../profile.ts";
import { randomSeed } from "../trial.ts";
import type { Arguments } from "./arguments.ts";
import { replayLine } from "./replay-line.ts";
import { Misuse } from "./misuse.ts";

/** What is to be run, and how. */
export interface ChosenCases {
  readonly store: string;
  readonly profile: string;
  readonly seed: number;
  readonly cases: readonly ConformanceCase[];
}

/**
 * The cases that were asked for.
 * @throws Misuse if there are none, if a path is given for many, or if the file of examples cannot be read
 */
export function chooseCases(asked: Arguments, options: ConformanceOptions): ChosenCases {
  const seed = asked.seed ?? options.seed ?? randomSeed();
  const profile = asked.profile ?? options.profile ?? "ci";
  const file = asked.examples ?? join(dirname(asked.module), ".run-events-conformance.json");
  const own = asked.examples === null ? options.examples : undefined;
  const examples = own ?? orMisuse(() => openExamples(file));
  const whole: ConformanceOptions = {
    ...options,
    seed,
    // The kit itself says what profiles there are.
    profile: profile as ProfileName,
    examples,
  };

  function casesOf(more: Pick<ConformanceOptions, "replay">): readonly ConformanceCase[] {
    return orMisuse(() =>
      createCases({ ...whole, ...more }, (replay) => replayLine(asked.module, replay)),
    );
  }

  const chosen = casesOf({}).filter(
    ({ name, clause }) =>
      (asked.case === null || name.includes(asked.case)) &&
      (asked.clause === null || clause === asked.clause),
  );
  if (chosen.length === 0) throw new Misuse("No case is of that name and clause.");
  if (asked.replay === null) return { store: options.name, profile, seed, cases: chosen };
  const [one, ...others] = chosen;
  if (one === undefined || others.length > 0) {
    throw new Misuse(
      `Expected --case to name one case beside --path, and it names ${chosen.length}.`,
    );
  }
  const cases = casesOf({ replay: { ...asked.replay, case: one.name } });
  return { store: options.name, profile, seed, cases };
}

/** Each case would else fail by itself for the same file. */
function openExamples(file: string): FileExamples {
  const examples = createFileExamples(file);
  examples.load("");
  return examples;
}

function orMisuse<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
