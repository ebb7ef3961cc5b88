import type { startChild } from "./child.ts";
import { measureOnEachStore } from "./on-each-store.ts";
import type { ReplayStore } from "./replay-log.ts";
import type { Report, Scale, Section } from "./report.ts";
import { costFigures, ratios, takeTurns, wallMicros } from "./rounds.ts";
import { STORE_TITLES } from "./store-titles.ts";
import type { TailReader } from "./tail-subjects.ts";

/** What the last events of a run cost, at any length. */
export const tail: Section = {
  name: "tail",
  question: "Do the last 50 events of a long run come as fast as those of a short one?",
  run: async (scale) => ({
    ...(await measureOnEachStore(["sqlite", "postgres", "redis"], (start, store, location) =>
      measureStore(scale, start, store, location),
    )),
    notes: ["Each read was checked: as many events as asked, up to the last."],
  }),
};

async function measureStore(
  { quick, rounds }: Scale,
  start: typeof startChild,
  store: ReplayStore,
  location: string,
): Promise<Report> {
  const name = STORE_TITLES[store];
  const [short, long] = quick ? [100, 1_000] : [1_000, 1_000_000];
  const reads = quick ? 10 : 500;
  const module = new URL("tail-subjects.ts", import.meta.url);
  const reader = start<TailReader>(module, "serve", store, location);
  for (const events of [short, long]) await reader.call("fill", events);
  const costs = await takeTurns(rounds, {
    short: () => reader.call("read", { events: short, reads }),
    long: () => reader.call("read", { events: long, reads }),
  });
  await reader.stop();
  return {
    targets: [
      {
        name: `${name}: ${count(long)} events / ${count(short)}, a read`,
        unit: "×",
        values: ratios(wallMicros(costs.long), wallMicros(costs.short)),
        bound: 1.2,
        kind: "at most",
      },
    ],
    figures: [
      ...costFigures(`${name}: ${count(short)} events`, "read", costs.short),
      ...costFigures(`${name}: ${count(long)} events`, "read", costs.long),
    ],
    notes: [],
  };
}

function count(events: number): string {
  return events.toLocaleString("en");
}
