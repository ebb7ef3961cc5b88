import type { ConformanceCase } from "../conformance-case.ts";
import { casesLeftOut, type ConformanceOptions, createCases } from "../conformance.ts";
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
 * @throws Misuse if no case matches, or if a path is given for many
 */
export function chooseCases(asked: Arguments, options: ConformanceOptions<unknown>): ChosenCases {
  const { module, case: part = "", clause, replay } = asked;
  const seed = asked.seed ?? options.seed ?? randomSeed();
  // The kit itself refuses a profile that does not exist.
  const profile = (asked.profile ?? options.profile ?? "ci") as ProfileName;
  const whole = { ...options, seed, profile };
  const casesOf = (settings: ConformanceOptions<unknown>): readonly ConformanceCase[] =>
    orMisuse(() => createCases(settings, (one) => replayLine(module, one)));

  const isChosen = (name: string): boolean =>
    name.includes(part) && (clause === undefined || name.startsWith(`${clause} `));
  const chosen = casesOf(whole).filter(({ name }) => isChosen(name));
  const [one, ...others] = chosen;
  if (one === undefined)
    throw new Misuse(
      "Expected --case and --clause to match a case, but none does. Check both, or leave one out.",
    );
  const found = { store: options.name, profile, seed };
  if (replay === null) {
    return { ...found, cases: chosen, leftOut: sayLeftOut(casesLeftOut(options), isChosen) };
  }
  if (others.length > 0) {
    throw new Misuse(
      `Expected --case to name one case with --path, but ${chosen.length} cases have it in their name.`,
    );
  }
  const cases = casesOf({ ...whole, replay: { ...replay, case: one.name } });
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
