import { acknowledgement } from "./cases/acknowledgement.ts";
import { atomicity } from "./cases/atomicity.ts";
import { bells, lostBells } from "./cases/bells.ts";
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
import { runTrial, type StoreDoors, type TrialCase } from "./trial.ts";

/** Which store to try, and how to get at it. */
export interface ConformanceOptions extends StoreDoors {
  /** Stands in the message of every failure. */
  readonly name: string;
}

/** One promise of the contract, to be run by any test runner. */
export interface ConformanceCase {
  /** A sentence that begins with the clause. */
  readonly name: string;
  /** `S1` to `S20` of the store contract, or `W2`, `W4`, `W14` of the wire. */
  readonly clause: string;
  /**
   * Opens a store, tries the promise, closes and destroys what it opened. Cases share nothing and may run at once.
   * @throws Error that says what was expected and what came; for a random case also fast-check's seed and path.
   */
  readonly run: () => Promise<void>;
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
  ...acknowledgement,
  ...payloads,
  ...pages,
  ...returnedValues,
  ...scale,
  ...bells,
  ...lostBells,
  ...handover,
  ...creating,
  ...listing,
  ...owners,
  ...deleting,
  ...closing,
  ...schema,
];

/**
 * The contract of a `RunEventStore` as cases, in the order of the flow. None is ever skipped: without `reopen` the cases of
 * data that outlives its store are not in the list, and another fails unless the store declares that there is no such data.
 *
 * @example
 * const cases = runEventStoreConformance({ name: "memory", open: () => createMemoryStore() });
 * for (const { name, run } of cases) it(name, run);
 */
export function runEventStoreConformance(options: ConformanceOptions): readonly ConformanceCase[] {
  const cases = options.reopen === undefined ? ALWAYS : [...ALWAYS, ...reopening];
  return cases.map(({ name, run }) => ({
    name,
    clause: name.slice(0, name.indexOf(" ")),
    async run() {
      try {
        await runTrial(options, run);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`${options.name}: ${name}\n${why}`, { cause });
      }
    },
  }));
}
