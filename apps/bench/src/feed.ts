import type { startChild } from "./child.ts";
import type { FeedServer } from "./feed-subjects.ts";
import { measureOnEachStore } from "./on-each-store.ts";
import type { ReplayStore } from "./replay-log.ts";
import type { Report, Scale, Section } from "./report.ts";
import { cpuFigure, cpuMicros, ratios, takeTurns } from "./rounds.ts";
import { STORE_TITLES } from "./store-titles.ts";

const FEW = 100;
const MANY = 1_000;

/** What an owner's feed costs the server. */
export const feed: Section = {
  name: "feed",
  question: "Does a change cost a feed of 1,000 live runs as much as one of 100?",
  run: async (scale) => ({
    ...(await measureOnEachStore(["sqlite", "postgres", "redis"], (start, store, location) =>
      measureStore(scale, start, store, location),
    )),
    notes: [
      "50 runs change at once, and the feed has sent each of them before the next ones change.",
    ],
  }),
};

async function measureStore(
  { quick, rounds }: Scale,
  start: typeof startChild,
  store: ReplayStore,
  location: string,
): Promise<Report> {
  const name = STORE_TITLES[store];
  const changes = quick ? 100 : MANY;
  const module = new URL("feed-subjects.ts", import.meta.url);
  const server = start<FeedServer>(module, "serve", store, location);
  for (const runs of [FEW, MANY]) await server.call("fill", runs);
  const costs = await takeTurns(rounds, {
    few: () => server.call("change", { runs: FEW, changes, isFollowed: true }),
    many: () => server.call("change", { runs: MANY, changes, isFollowed: true }),
    none: () => server.call("change", { runs: MANY, changes, isFollowed: false }),
  });
  await server.stop();
  return {
    targets: [
      {
        name: `${name}: 1,000 live runs / 100, CPU of a change`,
        unit: "×",
        values: ratios(cpuMicros(costs.many), cpuMicros(costs.few)),
        bound: 2,
        kind: "at most",
      },
    ],
    figures: [
      cpuFigure(`${name}: a feed of 100 live runs`, "change", costs.few),
      cpuFigure(`${name}: a feed of 1,000 live runs`, "change", costs.many),
      cpuFigure(`${name}: no feed of these runs`, "change", costs.none),
    ],
    notes: [],
  };
}
