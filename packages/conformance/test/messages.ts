import { runInNewContext } from "node:vm";
import {
  type ConformanceCase,
  type ConformanceOptions,
  runEventStoreConformance,
} from "@tm/run-events-conformance";

/** The first case of these that has this in its name. */
export function findCase(cases: readonly ConformanceCase[], part: string): ConformanceCase {
  const found = cases.find((one) => one.name.includes(part));
  if (found === undefined) throw new TypeError(`Expected a case named ${part}.`);
  return found;
}

/** The case of a store that has this in its name. */
export function caseOf<Place = undefined>(
  options: ConformanceOptions<Place>,
  part: string,
): ConformanceCase {
  return findCase(runEventStoreConformance(options), part);
}

/** The message that a case fails with. */
export async function messageOf({ run }: Pick<ConformanceCase, "run">): Promise<string> {
  return run().then(
    () => "It passed.",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/** The input in a failure's message, and the options that run it again, as pasted. */
export function replayOf(message: string): {
  readonly input: string;
  readonly pasted: Pick<ConformanceOptions, "replay">;
} {
  const input = /^The input: (.+)$/m.exec(message)?.[1];
  const option = /^ {2}(replay: .+)$/m.exec(message)?.[1];
  if (input === undefined || option === undefined) {
    throw new TypeError(`Expected an input and how to run it again, got ${message}`);
  }
  return { input, pasted: runInNewContext(`({ ${option} })`) };
}
