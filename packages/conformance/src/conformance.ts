import { buildCases, type CaseOptions } from "./build-cases.ts";
import { acknowledgement } from "./cases/acknowledgement.ts";
import { atomicity } from "./cases/atomicity.ts";
import { notifications } from "./cases/notifications.ts";
import { closing } from "./cases/closing.ts";
import { races } from "./cases/races.ts";
import { costs } from "./cases/costs.ts";
import { creating } from "./cases/creating.ts";
import { damages } from "./cases/damages.ts";
import { hours } from "./cases/hours.ts";
import { deleting } from "./cases/deleting.ts";
import { due } from "./cases/due.ts";
import { declaration, reopening } from "./cases/durability.ts";
import { failures } from "./cases/failures.ts";
import { handover } from "./cases/handover.ts";
import { leftovers } from "./cases/leftovers.ts";
import { leaseEnds } from "./cases/lease-ends.ts";
import { pages } from "./cases/pages.ts";
import { payloads } from "./cases/payloads.ts";
import { probing } from "./cases/probing.ts";
import { programs } from "./cases/programs.ts";
import { racingReaders } from "./cases/racing-readers.ts";
import { purging } from "./cases/purging.ts";
import { receipts } from "./cases/receipts.ts";
import { refusals } from "./cases/refusals.ts";
import { returnedValues } from "./cases/returned-values.ts";
import { scale } from "./cases/scale.ts";
import { schema } from "./cases/schema.ts";
import { texts } from "./cases/texts.ts";
import type { ConformanceCase } from "./conformance-case.ts";
import type { StoreDoors } from "./doors.ts";
import type { Replay } from "./replay.ts";
import { runTrial, type TrialCase } from "./trial.ts";

/** The options of {@link runEventStoreConformance}: the store, and how hard to look. */
export interface ConformanceOptions<Place = undefined> extends StoreDoors<Place>, CaseOptions {}

const ALL: readonly TrialCase[] = [
  ...atomicity,
  ...racingReaders,
  ...receipts,
  ...programs,
  ...races,
  ...declaration,
  ...acknowledgement,
  ...payloads,
  ...texts,
  ...pages,
  ...returnedValues,
  ...scale,
  ...notifications,
  ...creating,
  ...deleting,
  ...closing,
  ...failures,
  ...schema,
  ...probing,
  ...leaseEnds,
  ...due,
  ...purging,
  ...leftovers,
  ...costs,
  ...damages,
  ...hours,
  ...refusals,
  ...handover,
  ...reopening,
];

/**
 * Returns the cases that test a store against the contract of `KitStore`. No case is skipped: a case that needs an option is
 * in the list only if the option is given. Without `prepare`, the case of clause S6 in `STORE.md` of `@tm/run-events-core` fails unless the
 * store declares `durability: "memory"` and `shared: false`. Cases share nothing and may run at once.
 *
 * @throws TypeError for an unknown `profile`, a `soakMs` that is not above 0, or a `replay` of an unknown case
 * @example
 * const cases = runEventStoreConformance({ name: "memory", open: () => createMemoryStore() });
 * for (const { name, run, timeoutMs } of cases) it(name, run, timeoutMs);
 */
export function runEventStoreConformance<Place = undefined>(
  options: ConformanceOptions<Place>,
): readonly ConformanceCase[] {
  return createCases(options);
}

/**
 * Names of the cases that are not in the list, by the missing option that they need.
 */
export function casesLeftOut<Place>(
  options: ConformanceOptions<Place>,
): ReadonlyMap<string, readonly string[]> {
  const out = new Map<string, string[]>();
  for (const { name, needs } of ALL) {
    if (needs === undefined || options[needs] !== undefined) continue;
    out.set(needs, [...(out.get(needs) ?? []), name]);
  }
  return out;
}

/**
 * The cases, with another last line for their failures.
 * @param sayReplay returns how to run an input again
 */
export function createCases<Place>(
  options: ConformanceOptions<Place>,
  sayReplay?: (replay: Replay) => string,
): readonly ConformanceCase[] {
  const all = ALL.filter(({ needs }) => needs === undefined || options[needs] !== undefined);
  return buildCases(options, all, ({ run }, round) => runTrial(options, run, round), sayReplay);
}
