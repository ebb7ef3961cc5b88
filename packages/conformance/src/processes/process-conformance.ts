import { type ConformanceCase, nameCase, sayFailure } from "../conformance-case.ts";
import { randomSeed } from "../trial.ts";
import { clockCases } from "./clock-cases.ts";
import { connectionCases } from "./connection-cases.ts";
import { crashCases, type CrashHooks } from "./crash-cases.ts";
import { runWithCrew, type ProcessDoors } from "./crew.ts";
import { createDraws } from "./draws.ts";
import { differingClocks, raceCases } from "./race-cases.ts";

export type { CrashHooks } from "./crash-cases.ts";
export type { Network, ProcessDoors } from "./crew.ts";
export type { Address } from "./cutting-proxy.ts";

/** The time that a case may take before it counts as hung: its processes have to start, and a server to come back. */
const CASE_MS = 120_000;

/** The least number of calls that each process makes in a case, by profile. */
export const PROCESS_CALLS = { quick: 40, ci: 120 } as const;

/** The options of {@link runProcessConformance}: the store, how it crashes, and how hard to look. */
export interface ProcessConformanceOptions<Place> extends ProcessDoors<Place> {
  /** The first word of each failure's message, such as the store's name. */
  readonly name: string;
  /** Crashes the store's server and starts it again, if it has one. Cases that share a server have to run one after the other. */
  readonly crash?: CrashHooks;
  /**
   * The amount of work that the processes do in a case.
   * @defaultValue `"ci"`
   */
  readonly profile?: keyof typeof PROCESS_CALLS;
  /**
   * Decides what the processes do, and after which calls they crash: a 32-bit integer with a sign. It does not decide their timing.
   * @defaultValue a new one each time, which failures print
   */
  readonly seed?: number;
}

/**
 * Returns the cases that test a `shared` store in many processes on the same data, and after crashes. Each case forks its own
 * processes, and ends them. It needs Node.
 *
 * @throws TypeError for an unknown `profile`
 * @example
 * const cases = runProcessConformance({
 *   name: "files",
 *   module: new URL("open-file-store.ts", import.meta.url),
 *   prepare: () => mkdtemp(join(tmpdir(), "kit-")),
 *   destroy: (folder) => rm(folder, { recursive: true }),
 * });
 */
export function runProcessConformance<Place>(
  options: ProcessConformanceOptions<Place>,
): readonly ConformanceCase[] {
  const { crash = null, profile = "ci", seed = randomSeed() } = options;
  if (!Object.hasOwn(PROCESS_CALLS, profile)) {
    throw new TypeError(`Expected the profile quick or ci, got ${profile}.`);
  }
  const calls = PROCESS_CALLS[profile];
  const onServer = options.network === undefined ? [] : [differingClocks, ...connectionCases];
  const all = [...raceCases, ...clockCases, ...onServer, ...crashCases(crash)];
  return all.map(({ name, run }) =>
    nameCase(
      { name, timeoutMs: CASE_MS },
      ({ signal }) =>
        runWithCrew(options, (crew) => run({ crew, draws: createDraws(seed), calls }), signal),
      (cause) => `${sayFailure(options.name, name, cause)}\n${saySeed(seed)}`,
    ),
  );
}

function saySeed(seed: number): string {
  return `To let the processes make the same calls again, at other instants, give the option\n  seed: ${seed}`;
}
