import type { ConformanceCase } from "../conformance-case.ts";
import { reading } from "./cases/reading.ts";
import { caseOf } from "./http-conformance.ts";
import type { HttpDoors } from "./http-trial.ts";
import { type Follow, runReaderTrial } from "./reader-trial.ts";

/** Which reader to try, and a server that is known to be right. */
export interface ReaderConformanceOptions extends HttpDoors {
  /** Stands in the message of every failure. */
  readonly name: string;
  /** Starts a reader. */
  readonly follow: Follow;
}

/**
 * What a client of the wire owes its user, as cases: every event once and in order, then one end, over whole connections and
 * over those that break. The kit makes the runs on the server, and breaks connections through the `fetch` that it hands to the
 * reader.
 *
 * @example
 * const cases = runReaderConformance({ name: "ours", follow, baseUrl: "http://127.0.0.1:8080", tokens: ["ada's", "bob's"] });
 * for (const { name, run } of cases) it(name, run);
 */
export function runReaderConformance(
  options: ReaderConformanceOptions,
): readonly ConformanceCase[] {
  return reading.map(({ name, run }) =>
    caseOf(options.name, name, () => runReaderTrial(options, run)),
  );
}
