import { buildCases, type CaseOptions } from "../build-cases.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { reading } from "./cases/reading.ts";
import type { HttpDoors } from "./http-trial.ts";
import { type Follow, runReaderTrial } from "./reader-trial.ts";

/** The options of {@link runReaderConformance}: the client, a server that is known to be right, and how hard to look. */
export interface ReaderConformanceOptions extends HttpDoors, CaseOptions {
  /** Starts your client on a run. */
  readonly follow: Follow;
  /**
   * The time that a case waits for the client's next event, in milliseconds. A client whose pauses grow with each lost connection needs
   * more than the default.
   * @defaultValue 5,000
   */
  readonly patienceMs?: number;
}

/**
 * Returns the cases that test a client of the wire. It owes its user every event once and in order, then one end, even over
 * connections that break. The kit creates the runs on the server, and breaks connections in the `fetch` that it gives to the client.
 *
 * @throws TypeError for an unknown `profile`, a `soakMs` that is not above 0, or a `replay` of an unknown case
 * @example
 * const cases = runReaderConformance({ name: "ours", follow, baseUrl: "http://127.0.0.1:8080", tokens: ["ada's", "bob's"] });
 * for (const { name, run } of cases) it(name, run);
 */
export function runReaderConformance(
  options: ReaderConformanceOptions,
): readonly ConformanceCase[] {
  const cases = Object.entries(reading).map(([name, run]) => ({ name, run }));
  return buildCases(options, cases, ({ run }, round) => runReaderTrial(options, run, round));
}
