import { acknowledgement } from "./cases/acknowledgement.ts";
import { atomicity } from "./cases/atomicity.ts";
import { bells, lostBells } from "./cases/bells.ts";
import { capabilities } from "./cases/capabilities.ts";
import { closing } from "./cases/closing.ts";
import { concurrency } from "./cases/concurrency.ts";
import { creating } from "./cases/creating.ts";
import { deleting } from "./cases/deleting.ts";
import { declaration, reopening } from "./cases/durability.ts";
import { handover } from "./cases/handover.ts";
import { listing, owners } from "./cases/listing.ts";
import { ordering } from "./cases/ordering.ts";
import { idempotencyKeys, outcomes } from "./cases/outcomes.ts";
import { pages } from "./cases/pages.ts";
import { payloads } from "./cases/payloads.ts";
import { programs } from "./cases/programs.ts";
import { returnedValues } from "./cases/returned-values.ts";
import { scale } from "./cases/scale.ts";
import { schema } from "./cases/schema.ts";
import { sequences } from "./cases/sequences.ts";
import { type ConformanceCase, nameCase, sayFailure } from "./conformance-case.ts";
import { Counterexample } from "./counterexample.ts";
import { nextTurn } from "./next-turn.ts";
import { DEFAULT_SOAK_MS, type ProfileName, PROFILES, requireDuration } from "./profile.ts";
import { createRandomCheck, type RandomCheck } from "./random-check.ts";
import { type Replay, replayOption, type SavedExamples } from "./replay.ts";
import { randomSeed, runTrial, type StoreDoors, type TrialCase } from "./trial.ts";

/** Which store to try, how to get at it, and how hard to look. */
export interface ConformanceOptions extends StoreDoors {
  /** Stands in the message of every failure. */
  readonly name: string;
  /** How many inputs random cases draw. Default `ci`. */
  readonly profile?: ProfileName;
  /** How long each random case goes on in `soak`, in milliseconds. It ends with the inputs under way. Default 10 minutes. */
  readonly soakMs?: number;
  /** Which inputs random cases draw: a 32-bit integer with a sign. Default another each time. */
  readonly seed?: number;
  /** Run this input of this case and nothing else, as the failure said. */
  readonly replay?: Replay;
  /** Where inputs that broke a case are kept. They are tried first. Default: nowhere. */
  readonly examples?: SavedExamples;
}

const ALWAYS: readonly TrialCase[] = [
  ...sequences,
  ...atomicity,
  ...ordering,
  ...outcomes,
  ...idempotencyKeys,
  ...programs,
  ...concurrency,
  ...declaration,
  ...capabilities,
  ...acknowledgement,
  ...payloads,
  ...pages,
  ...returnedValues,
  ...scale,
  ...bells,
  ...lostBells,
  ...creating,
  ...listing,
  ...owners,
  ...deleting,
  ...closing,
  ...schema,
  ...handover,
];

/**
 * The contract of a `RunEventStore` as cases, in the order of the flow. None is ever skipped: without `reopen` the cases of
 * data that outlives its store are not in the list, and another fails unless the store declares that there is no such data.
 *
 * @throws TypeError for a profile or a time that there is not, or a `replay` of no case.
 * @example
 * const cases = runEventStoreConformance({ name: "memory", open: () => createMemoryStore() });
 * for (const { name, run, timeoutMs } of cases) it(name, run, timeoutMs);
 */
export function runEventStoreConformance(options: ConformanceOptions): readonly ConformanceCase[] {
  return createCases(
    options,
    (replay) => `To run it again, give the option\n  ${replayOption(replay)}`,
  );
}

/**
 * The cases, with another last line for their failures.
 * @param sayReplay says how to run an input again
 */
export function createCases(
  options: ConformanceOptions,
  sayReplay: (replay: Replay) => string,
): readonly ConformanceCase[] {
  const { replay, profile: profileName = "ci", soakMs = DEFAULT_SOAK_MS } = options;
  requireDuration(profileName, soakMs);
  const profile = PROFILES[profileName];
  const isSoak = profileName === "soak";
  const firstSeed = options.seed ?? randomSeed();
  const all = options.reopen === undefined ? ALWAYS : [...ALWAYS, ...reopening];
  const cases = replay === undefined ? all : all.filter(({ name }) => name === replay.case);
  if (cases.length === 0) throw new TypeError(`Expected the name of a case, got ${replay?.case}.`);

  /** Runs a case once; in `soak` again on a fresh store until the time is up, unless nothing about it is random. */
  async function runCase({ name, run }: TrialCase, signal: AbortSignal | undefined): Promise<void> {
    const examples = await options.examples?.load(name);
    const endsAt = isSoak && replay === undefined ? Date.now() + soakMs : -Infinity;
    for (let round = 0; ; round++) {
      const checkRound = createRandomCheck({
        profile,
        // As fast-check takes it: 32 bits.
        seed: (firstSeed + round) | 0,
        ...(replay === undefined ? {} : { replay }),
        ...(round === 0 && examples !== undefined ? { examples } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
      let isRandom = false;
      const check: RandomCheck = (...asked) => {
        isRandom = true;
        return checkRound(...asked);
      };
      await runTrial(options, run, { check, signal });
      if (!isRandom || Date.now() >= endsAt) return;
      await nextTurn();
    }
  }

  /** Saves what was found. @returns the whole message */
  async function report(name: string, cause: unknown): Promise<string> {
    const why = sayFailure(options.name, name, cause);
    if (!(cause instanceof Counterexample)) return why;
    const { input: _, ...address } = cause.example;
    const whole = `${why}\n${sayReplay({ case: name, ...address })}`;
    if (cause.isReplayed) return whole;
    try {
      await options.examples?.save(name, cause.example);
      return whole;
    } catch (error) {
      return `${whole}\nIt could not be saved: ${String(error)}`;
    }
  }

  const timeoutMs = profile.timeoutMs + (isSoak ? soakMs : 0);
  return cases.map((one) =>
    nameCase(
      { name: one.name, timeoutMs },
      ({ signal }) => runCase(one, signal),
      (cause) => report(one.name, cause),
    ),
  );
}
