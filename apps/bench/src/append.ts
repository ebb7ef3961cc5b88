import { type AppendWriter, CALLERS } from "./append-load.ts";
import type { Child, startChild } from "./child.ts";
import { measureOnEachStore } from "./on-each-store.ts";
import type { Report, Scale, Section, Target } from "./report.ts";
import { type Cost, costFigures, ratios, takeTurns, wallMicros } from "./rounds.ts";
import { STORE_TITLES, type StoreKind } from "./stores.ts";

/** How many processes append to one run together. */
const PROCESSES = 8;
/** How many times as fast as the bare log ours has to be, over all runs and on one: it appends together what came together. */
const BOUNDS: Readonly<Partial<Record<StoreKind, readonly [spread: number, hot: number]>>> = {
  sqlite: [6, 6],
  postgres: [8, 12],
  redis: [1, 1],
};
/** How many appends a round has. The bare log has fewer, since each of them waits for the disk. */
const APPENDS: Readonly<Partial<Record<StoreKind, readonly [ours: number, bare: number]>>> = {
  sqlite: [12_800, 6_400],
  postgres: [12_800, 3_200],
  redis: [25_600, 25_600],
};

/** Appends that return when they are durable, against one transaction an append; and what short runs take. */
export const append: Section = {
  name: "append",
  question: `How long do single-event appends of ${CALLERS} concurrent callers take on each store?`,
  run: (scale) =>
    measureOnEachStore(["sqlite", "postgres", "redis"], (start, store, location) =>
      measureAppends(scale, start, store, location),
    ),
};

async function measureAppends(
  { quick, rounds }: Scale,
  start: typeof startChild,
  store: StoreKind,
  location: string,
): Promise<Report> {
  const module = new URL("append-subjects.ts", import.meta.url);
  const ours = start<AppendWriter>(module, "ours", store, location, "true");
  const bare = start<AppendWriter>(module, "bare", store, bareLocation(store, location));
  await ours.call("count");
  const others = Array.from({ length: PROCESSES - 1 }, () =>
    start<AppendWriter>(module, "ours", store, location, "false"),
  );
  const [count = 0, bareCount = 0] = quick ? [640, 640] : (APPENDS[store] ?? []);
  const spread = { callers: CALLERS, runs: CALLERS };
  const hot = { callers: CALLERS, runs: 1 };
  const costs = await takeTurns(rounds, {
    ours: () => ours.call("append", { ...spread, count }),
    bare: () => bare.call("append", { ...spread, count: bareCount }),
    oursHot: () => ours.call("append", { ...hot, count }),
    bareHot: () => bare.call("append", { ...hot, count: bareCount }),
    work: () => ours.call("work", { ...spread, count: count / 8 }),
    together: () => appendTogether([ours, ...others], count / 8),
  });
  // The round that is not counted appends too.
  await checkCount(ours, (rounds + 1) * (2 * count + count / 8));
  await checkCount(bare, (rounds + 1) * 2 * bareCount);
  await Promise.all([ours, bare, ...others].map((child) => child.stop()));
  const title = STORE_TITLES[store];
  const [spreadBound = 0, hotBound = 0] = BOUNDS[store] ?? [];
  const faster = (
    where: string,
    bound: number,
    than: readonly Cost[],
    of: readonly Cost[],
  ): Target => ({
    name: `${title}, ${where}: ours / bare, appends a second`,
    unit: "×",
    values: ratios(wallMicros(than), wallMicros(of)),
    bound,
    kind: "at least",
  });
  return {
    targets: [
      faster(`${CALLERS} runs`, spreadBound, costs.bare, costs.ours),
      faster("one run", hotBound, costs.bareHot, costs.oursHot),
    ],
    figures: [
      ...costFigures(`${title}, ${CALLERS} runs: ours`, "append", costs.ours),
      ...costFigures(`${title}, ${CALLERS} runs: bare`, "append", costs.bare),
      ...costFigures(`${title}, one run: ours`, "append", costs.oursHot),
      ...costFigures(`${title}, one run: bare`, "append", costs.bareHot),
      ...costFigures(`${title}: create, claim, one event, end`, "run", costs.work),
      {
        name: `${title}, one run, ${PROCESSES} processes: ours, wall`,
        unit: "µs/append",
        values: wallMicros(costs.together),
      },
    ],
    notes: [`${title}: each log holds the events that were acknowledged.`],
  };
}

/** A file of its own; the tables and keys of the others have other names. */
function bareLocation(store: StoreKind, location: string): string {
  return store === "sqlite" ? `${location}.bare` : location;
}

/** Processes that append to one run, each with its share of the callers. */
async function appendTogether(
  writers: readonly Child<AppendWriter>[],
  count: number,
): Promise<Cost> {
  const load = { count: count / writers.length, callers: CALLERS / writers.length, runs: 1 };
  const costs = await Promise.all(writers.map((writer) => writer.call("append", load)));
  return {
    units: count,
    wallMicros: Math.max(...costs.map((cost) => cost.wallMicros)),
    cpuMicros: costs.reduce((sum, cost) => sum + cost.cpuMicros, 0),
  };
}

/** @throws unless the process's log holds as many events as were acknowledged. */
async function checkCount(writer: Child<AppendWriter>, acknowledged: number): Promise<void> {
  const events = await writer.call("count");
  if (events !== acknowledged)
    throw new Error(`Of ${acknowledged} acknowledged events the log holds ${events}.`);
}
