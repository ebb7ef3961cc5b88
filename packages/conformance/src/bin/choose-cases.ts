import { dirname, join } from "node:path";
import type { ConformanceCase } from "../conformance-case.ts";
import { casesLeftOut, type ConformanceOptions, createCases } from "../conformance.ts";
import { createFileExamples, type FileExamples } from "../file-examples.ts";
import type { ProfileName } from "../profile.ts";
import { randomSeed } from "../trial.ts";
import { type Arguments, replayLine } from "./arguments.ts";
import { Misuse, orMisuse } from "./misuse.ts";

/** The chosen cases of a store, and their settings. */
export interface ChosenCases {
  readonly store: string;
  readonly profile: string;
  readonly seed: number;
  readonly cases: readonly ConformanceCase[];
  /** A line for each option that is not given and that requested cases need. */
  readonly leftOut: readonly string[];
}

/**
 * The cases that were asked for.
 * @throws Misuse if no case matches, if a path is given for many, or if the file of examples cannot be read
 */
export function chooseCases(asked: Arguments, options: ConformanceOptions<unknown>): ChosenCases {
  const seed = asked.seed ?? options.seed ?? randomSeed();
  const profile = asked.profile ?? options.profile ?? "ci";
  const file = asked.examples ?? join(dirname(asked.module), ".run-events-conformance.json");
  const own = asked.examples === null ? options.examples : undefined;
  const examples = own ?? orMisuse(() => openExamples(file));
  const whole: ConformanceOptions<unknown> = {
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

  const isChosen = (name: string): boolean =>
    (asked.case === null || name.includes(asked.case)) &&
    (asked.clause === null || name.startsWith(`${asked.clause} `));
  const chosen = casesOf({}).filter(({ name }) => isChosen(name));
  if (chosen.length === 0)
    throw new Misuse(
      "Expected --case and --clause to match a case, but none does. Check both, or leave one out.",
    );
  const found = { store: options.name, profile, seed };
  if (asked.replay === null) {
    return { ...found, cases: chosen, leftOut: sayLeftOut(casesLeftOut(options), isChosen) };
  }
  const [one, ...others] = chosen;
  if (one === undefined || others.length > 0) {
    throw new Misuse(
      `Expected --case to name one case with --path, but ${chosen.length} cases have it in their name.`,
    );
  }
  const cases = casesOf({ replay: { ...asked.replay, case: one.name } });
  return { ...found, cases, leftOut: [] };
}

function sayLeftOut(
  all: ReadonlyMap<string, readonly string[]>,
  isChosen: (name: string) => boolean,
): readonly string[] {
  return [...all].flatMap(([option, names]) => {
    const missed = names.filter(isChosen);
    const clauses = new Set(missed.map((name) => name.slice(0, name.indexOf(" "))));
    const count = missed.length === 1 ? "1 case" : `${missed.length} cases`;
    return missed.length === 0
      ? []
      : [`Without \`${option}\`: ${count} of ${[...clauses].join(", ")} left out`];
  });
}

/** Each case would else fail by itself for the same file. */
function openExamples(file: string): FileExamples {
  const examples = createFileExamples(file);
  examples.load("");
  return examples;
}
