import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import type { GrowthSize, GrowthStore } from "./growth-store.ts";
import type { Figure, Report, Scale, Section, Target } from "./report.ts";
import { costFigures, cpuMicros, ratios, takeTurns } from "./rounds.ts";
import { withTempFolder } from "./temp-folder.ts";

const BOUND = 1.2;
/** How often a round makes each call; an append takes much longer than the others. */
const TIMES: Readonly<Record<Call, number>> = {
  append: 400,
  read: 2_000,
  tail: 2_000,
  list: 2_000,
};
const QUICK_TIMES: typeof TIMES = { append: 20, read: 20, tail: 20, list: 20 };

/** Whether a call costs more in a long run or a full store (S12). */
export const growth: Section = {
  name: "growth",
  question: "Does a call cost more in a run of 500,000 events, or beside 20,000 runs?",
  run: (scale) => withTempFolder((folder) => measureGrowth(scale, folder)),
};

type Call = keyof GrowthStore;

/** Two sizes of one thing, and what is measured in both. */
interface Comparison {
  readonly title: string;
  readonly small: GrowthSize;
  readonly large: GrowthSize;
  readonly calls: readonly Call[];
}

async function measureGrowth({ quick, rounds }: Scale, folder: string): Promise<Report> {
  const comparisons: readonly Comparison[] = [
    {
      title: quick ? "run of 2,000 / 1,000 events" : "run of 500,000 / 1,000 events",
      small: { runs: 1, eventsARun: 1_000 },
      large: { runs: 1, eventsARun: quick ? 2_000 : 500_000 },
      calls: ["append", "read", "tail"],
    },
    {
      title: quick ? "store of 200 / 100 runs" : "store of 20,000 / 100 runs",
      small: { runs: 100, eventsARun: 10 },
      large: { runs: quick ? 200 : 20_000, eventsARun: 10 },
      calls: ["append", "read", "tail", "list"],
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
      "Every append waits for the disk by itself, and that wait is the disk's and its other users': CPU is judged.",
    ],
  };
}

async function compare(
  { title, small, large, calls }: Comparison,
  options: { readonly rounds: number; readonly times: typeof TIMES; readonly file: string },
): Promise<Pick<Report, "targets" | "figures">> {
  const { rounds, times, file } = options;
  const stores = {
    small: start(small, `${file}-small.db`),
    large: start(large, `${file}-large.db`),
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

function start({ runs, eventsARun }: GrowthSize, file: string): Child<GrowthStore> {
  const module = new URL("growth-ours.ts", import.meta.url);
  return startChild<GrowthStore>(module, file, String(runs), String(eventsARun));
}
