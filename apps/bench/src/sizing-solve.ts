import { fitNonNegative } from "./fit-non-negative.ts";
import { median } from "./report.ts";
import { type Cores, type Load, type PerUnit, workOf } from "./sizing-model.ts";

/** What one round of a load took. */
export interface Measured extends Cores {
  readonly load: Load;
}

/**
 * The unit costs that explain best what loads took: no relative error of one counts for more than that of another.
 * @param mixes the rounds of each load; only their middle counts, so that one that something else met does not
 */
export function solve(mixes: readonly (readonly Measured[])[]): PerUnit {
  const middles = mixes.map(middleOf);
  const works = middles.map(({ load }) => workOf(load));
  return {
    appending: fit(
      works.map(({ appending }) => appending),
      middles.map(({ appending }) => appending),
    ),
    streaming: fit(
      works.map(({ streaming }) => streaming),
      middles.map(({ streaming }) => streaming),
    ),
    database: fit(
      works.map(({ database }) => database),
      middles.map(({ database }) => database),
    ),
  };
}

function fit<Unit extends string>(
  works: readonly Readonly<Record<Unit, number>>[],
  cores: readonly number[],
): Readonly<Record<Unit, number>> {
  const units = Object.keys(works[0] ?? {}) as Unit[];
  const costs = fitNonNegative(
    works.map((work) => units.map((unit) => work[unit])),
    cores.map((value) => value * 1_000_000),
  );
  const entries = units.map((unit, at) => [unit, costs[at]] as const);
  return Object.fromEntries(entries) as Record<Unit, number>;
}

/** Of each amount the middle over the rounds. */
function middleOf(rounds: readonly Measured[]): Measured {
  const middle = (of: (round: Measured) => number): number => median(rounds.map(of));
  return {
    load: {
      appends: middle(({ load }) => load.appends),
      commits: middle(({ load }) => load.commits),
      sharedCommits: middle(({ load }) => load.sharedCommits),
      notifications: middle(({ load }) => load.notifications),
      wakes: middle(({ load }) => load.wakes),
      reads: middle(({ load }) => load.reads),
      deliveries: middle(({ load }) => load.deliveries),
      streams: middle(({ load }) => load.streams),
      watched: middle(({ load }) => load.watched),
      streamingServers: middle(({ load }) => load.streamingServers),
    },
    appending: middle(({ appending }) => appending),
    streaming: middle(({ streaming }) => streaming),
    database: middle(({ database }) => database),
  };
}
