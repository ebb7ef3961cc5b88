import { buildCases, type CaseOptions } from "../build-cases.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { reading } from "./cases/reading.ts";
import type { HttpDoors } from "./http-trial.ts";
import { type Follow, runReaderTrial } from "./reader-trial.ts";

/** Which reader to try, a server that is known to be right, and how hard to look. */
export interface ReaderConformanceOptions extends HttpDoors, CaseOptions {
  /** Starts a reader. */
  readonly follow: Follow;
  /**
   * How long a reader may take to hand over what is there, in milliseconds. A hang is found after it; a reader whose pauses grow
   * from one lost connection to the next needs more. Default 5,000.
   */
  readonly patienceMs?: number;
}

/**
 * What a client of the wire owes its user, as cases: every event once and in order, then one end, over whole connections and
 * over those that break. The kit makes the runs on the server, and breaks connections through the `fetch` that it hands to the
 * reader.
 *
 * @throws TypeError for a profile or a time that there is not, or a `replay` of no case
 * @example
 * const cases = runReaderConformance({ name: "ours", follow, baseUrl: "http://127.0.0.1:8080", tokens: ["ada's", "bob's"] });
 * for (const { name, run } of cases) it(name, run);
 */
export function runReaderConformance(
  options: ReaderConformanceOptions,
): readonly ConformanceCase[] {
  return buildCases(options, reading, ({ run }, round) => runReaderTrial(options, run, round));
}
