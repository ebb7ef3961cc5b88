import { type AppendWriter, CALLERS } from "./append-load.ts";
import { type Child, startChild } from "./child.ts";
import { checkCount } from "./count-events.ts";
import { measureOnEachStore } from "./on-each-store.ts";
import type { Figure, Scale, Section } from "./report.ts";
import { type Cost, costFigures, costOf, ratios, takeTurns, wallMicros } from "./rounds.ts";
import { STORE_TITLES, type StoreKind } from "./stores.ts";

/** The number of processes that append to one run together. */
const PROCESSES = 8;
/** The factor by which all callers on many runs have to beat a single caller, since appends that meet are committed together. */
const LEAST_GAIN: Readonly<Partial<Record<StoreKind, number>>> = {
  sqlite: 3,
  postgres: 6,
  redis: 3,
};

/** Appends that return when they are durable, of many callers and of one; and what short runs take. */
export const append: Section = {
  name: "append",
  question: `How long do single-event appends of ${CALLERS} concurrent callers take on each store?`,
  run: (scale, scope) =>
    measureOnEachStore(scope, ["sqlite", "postgres", "redis"], (processes, store, location) =>
      measureAppends(scale, processes, store, location),
    ),
};

async function measureAppends(
  { quick, rounds }: Scale,
  scope: AsyncDisposableStack,
  store: StoreKind,
  location: string,
): Promise<readonly Figure[]> {
  const start = (which: string): Child<AppendWriter> =>
    startChild<AppendWriter>(scope, new URL("append-subjects.ts", import.meta.url), [
      store,
      location,
      which,
    ]);
  const first = start("first");
  await first.call("count");
  const others = Array.from({ length: PROCESSES - 1 }, () => start("other"));
  const many = quick ? 640 : 12_800;
  const few = many / 8;
  const append = (count: number, callers: number, runs: number) => (): Promise<Cost> =>
    costOf(first, count, () => first.call("append", { count, callers, runs }));
  const costs = await takeTurns(rounds, {
    spread: append(many, CALLERS, CALLERS),
    hot: append(many, CALLERS, 1),
    alone: append(few, 1, 1),
    work: () =>
      costOf(first, few, () => first.call("work", { count: few, callers: CALLERS, runs: CALLERS })),
    together: () => appendTogether([first, ...others], few),
  });
  // The round that is not counted appends too.
  checkCount(await first.call("count"), (rounds + 1) * (2 * many + 2 * few));
  const title = STORE_TITLES[store];
  return [
    {
      name: `${title}: ${CALLERS} callers on as many runs / one caller, appends a second`,
      unit: "×",
      values: ratios(wallMicros(costs.alone), wallMicros(costs.spread)),
      atLeast: LEAST_GAIN[store] ?? 1,
    },
    ...costFigures(`${title}, ${CALLERS} runs`, "append", costs.spread),
    ...costFigures(`${title}, one run`, "append", costs.hot),
    ...costFigures(`${title}, one caller`, "append", costs.alone),
    ...costFigures(`${title}: create, claim, one event, end`, "run", costs.work),
    {
      name: `${title}, one run, ${PROCESSES} processes, wall`,
      unit: "µs/append",
      values: wallMicros(costs.together),
    },
  ];
}

/** Processes that append to one run, each with its share of the callers. */
function appendTogether(writers: readonly Child<AppendWriter>[], count: number): Promise<Cost> {
  const [first] = writers;
  if (first === undefined) throw new TypeError("Expected processes.");
  const load = { count: count / writers.length, callers: CALLERS / writers.length, runs: 1 };
  return costOf(first, count, () =>
    Promise.all(writers.map((writer) => writer.call("append", load))),
  );
}
