import { type ConformanceCase, nameCase, sayFailure } from "./conformance-case.ts";
import { Counterexample } from "./counterexample.ts";
import { nextTurn } from "./next-turn.ts";
import { DEFAULT_SOAK_MS, type ProfileName, PROFILES, requireDuration } from "./profile.ts";
import { createRandomCheck, type RandomCheck } from "./random-check.ts";
import { type Replay, replayOption } from "./replay.ts";
import { randomSeed } from "./trial.ts";

/** The options that every kit has: the name in its failures, how hard to look, and what to run again. */
export interface CaseOptions {
  /** The first word of each failure's message, such as the store's name. */
  readonly name: string;
  /**
   * The number of inputs that a random case draws.
   * @defaultValue `"ci"`
   */
  readonly profile?: ProfileName;
  /**
   * The time that each random case goes on in `soak`, in milliseconds. It ends with the inputs under way.
   * @defaultValue 600,000, which is 10 minutes
   */
  readonly soakMs?: number;
  /**
   * Decides which inputs random cases draw: a 32-bit integer with a sign.
   * @defaultValue a new one each time, which failures print
   */
  readonly seed?: number;
  /** One input of one case to run, and nothing else. Copy it from the failure. */
  readonly replay?: Replay;
}

/** The conditions of one round of a case. */
export interface CaseConditions {
  readonly check: RandomCheck;
  /** Ends the round. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes cases of bodies, which get how hard to look in each round.
 * @param runRound runs a body once, on its own store or runs
 * @param sayReplay returns how to run an input again, the last line of a failure. Default: by an option
 * @throws TypeError for an unknown `profile`, a `soakMs` that is not above 0, or a `replay` of an unknown case
 */
export function buildCases<One extends { readonly name: string }>(
  options: CaseOptions,
  all: readonly One[],
  runRound: (one: One, conditions: CaseConditions) => Promise<void>,
  sayReplay: (replay: Replay) => string = sayOption,
): readonly ConformanceCase[] {
  const { replay, profile: profileName = "ci", soakMs = DEFAULT_SOAK_MS } = options;
  requireDuration(profileName, soakMs);
  const profile = PROFILES[profileName];
  const isSoak = profileName === "soak";
  const firstSeed = options.seed ?? randomSeed();
  const cases = replay === undefined ? all : all.filter(({ name }) => name === replay.case);
  if (cases.length === 0)
    throw new TypeError(`Expected \`replay.case\` to be the name of a case, got ${replay?.case}.`);

  /** Runs a case once; in `soak` again until the time is up, unless nothing about it is random. */
  async function runCase(one: One, signal: AbortSignal | undefined): Promise<void> {
    const endsAt = isSoak && replay === undefined ? Date.now() + soakMs : -Infinity;
    for (let round = 0; ; round++) {
      const checkRound = createRandomCheck({
        profile,
        // As fast-check takes it: 32 bits.
        seed: (firstSeed + round) | 0,
        ...(replay === undefined ? {} : { replay }),
        ...(signal === undefined ? {} : { signal }),
      });
      let isRandom = false;
      const check: RandomCheck = (...asked) => {
        isRandom = true;
        return checkRound(...asked);
      };
      await runRound(one, { check, signal });
      if (replay !== undefined && !isRandom) {
        throw new TypeError(
          "Expected a random case to run again, but this case draws no inputs. Run it without a replay.",
        );
      }
      if (!isRandom || Date.now() >= endsAt) return;
      await nextTurn();
    }
  }

  function report(name: string, cause: unknown): string {
    const why = sayFailure(options.name, name, cause);
    if (!(cause instanceof Counterexample)) return why;
    const { seed, path } = cause.found;
    return `${why}\n${sayReplay({ case: name, seed, path })}`;
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

function sayOption(replay: Replay): string {
  return `To run it again, give the option\n  ${replayOption(replay)}`;
}
