import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import type { GrowthFiller, GrowthSize, GrowthStore } from "./growth-store.ts";
import type { Figure, Report, Scale, Section, Target } from "./report.ts";
import { costFigures, cpuMicros, ratios, takeTurns } from "./rounds.ts";
import { withTempFolder } from "./temp-folder.ts";

const BOUND = 1.1;
/** How often a round makes each call. */
const TIMES: Readonly<Record<Call, number>> = {
  append: 2_000,
  read: 2_000,
  tail: 2_000,
  list: 2_000,
};
const QUICK_TIMES: typeof TIMES = { append: 20, read: 20, tail: 20, list: 20 };

/** Whether a call costs more in a long run or a full store (S12). */
export const growth: Section = {
  name: "growth",
  question: "Does a call cost more in a run of 1,000,000 events, or beside 100,000 runs?",
  run: (scale) => withTempFolder((folder) => measureGrowth(scale, folder)),
};

type Call = keyof GrowthStore;

/** Two sizes of one thing, and what is measured in both. */
interface Comparison {
  readonly title: string;
  readonly small: GrowthSize;
  readonly large: GrowthSize;
  /** In this order: appends would make a short run long for what is measured behind them. */
  readonly calls: readonly Call[];
}

async function measureGrowth({ quick, rounds }: Scale, folder: string): Promise<Report> {
  const comparisons: readonly Comparison[] = [
    {
      title: quick ? "run of 2,000 / 1,000 events" : "run of 1,000,000 / 1,000 events",
      small: { runs: 1, eventsARun: 1_000 },
      large: { runs: 1, eventsARun: quick ? 2_000 : 1_000_000 },
      calls: ["read", "tail", "append"],
    },
    {
      title: quick ? "store of 200 / 100 runs" : "store of 100,000 / 100 runs",
      small: { runs: 100, eventsARun: 10 },
      large: { runs: quick ? 200 : 100_000, eventsARun: 10 },
      calls: ["read", "tail", "list", "append"],
    },
  ];
  const targets: Target[] = [];
  const figures: Figure[] = [];
  for (const [index, comparison] of comparisons.entries()) {
    const part = await compare(comparison, {
      rounds,
      times: quick ? QUICK_TIMES : TIMES,
      file: join(folder, String(index)),
    });
    targets.push(...part.targets);
    figures.push(...part.figures);
  }
  return {
    targets,
    figures,
    notes: [
      "Judged is CPU: how long the disk takes for a sync is the same for a small file and a large one.",
    ],
  };
}

async function compare(
  { title, small, large, calls }: Comparison,
  options: { readonly rounds: number; readonly times: typeof TIMES; readonly file: string },
): Promise<Pick<Report, "targets" | "figures">> {
  const { rounds, times, file } = options;
  const stores = {
    small: await start(small, `${file}-small.db`),
    large: await start(large, `${file}-large.db`),
  };
  try {
    const targets: Target[] = [];
    const figures: Figure[] = [];
    for (const call of calls) {
      const costs = await takeTurns<"small" | "large">(rounds, {
        small: () => stores.small.call(call, times[call]),
        large: () => stores.large.call(call, times[call]),
      });
      targets.push({
        name: `${title}: ${call}, CPU`,
        unit: "×",
        values: ratios(cpuMicros(costs.large), cpuMicros(costs.small)),
        bound: BOUND,
        kind: "at most",
      });
      figures.push(
        ...costFigures(`${call}, small`, "call", costs.small),
        ...costFigures(`${call}, large`, "call", costs.large),
      );
    }
    return {
      targets,
      figures: figures.map((figure) => ({ ...figure, name: `${title}: ${figure.name}` })),
    };
  } finally {
    await Promise.all([stores.small.stop(), stores.large.stop()]);
  }
}

/** Fills a file in one process and starts another on it: what the first has in its heap would cost the second nothing. */
async function start(size: GrowthSize, file: string): Promise<Child<GrowthStore>> {
  const filler = startChild<GrowthFiller>(new URL("growth-fill.ts", import.meta.url));
  try {
    await filler.call("fill", { file, size });
  } finally {
    await filler.stop();
  }
  return startChild<GrowthStore>(
    new URL("growth-ours.ts", import.meta.url),
    file,
    String(size.runs),
    String(size.eventsARun),
  );
}
