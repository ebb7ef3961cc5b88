import {
  type GridLoad,
  GRID_RUNS,
  type GridStore,
  type GridWriters,
} from "./append-grid-writer.ts";
import { postgresGrid } from "./append-grid-postgres.ts";
import { redisGrid } from "./append-grid-redis.ts";
import { sqliteGrid } from "./append-grid-sqlite.ts";
import {
  type Figure,
  median,
  type Report,
  type Scale,
  type Section,
  type Table,
} from "./report.ts";
import { type Cost, cpuMicros, ratios, takeTurns, wallMicros } from "./rounds.ts";

const STORES: readonly GridStore[] = [sqliteGrid, postgresGrid, redisGrid];
const CALLERS: readonly number[] = [1, 16, 64, 256];
const BATCHES: readonly number[] = [1, 20, 100];
const RUNS: readonly number[] = [1, GRID_RUNS];
const ROUNDS = 3;
const MILLIS = 250;
const QUICK_MILLIS = 10;
/** The columns of rates. */
const [OURS, BARE] = ["ours, events/s", "bare, events/s"] as const;

/** A map of what appends cost, from one caller to many, on one run and on many, of one event and of many. */
export const appendGrid: Section = {
  name: "append-grid",
  question: `How many events a second do so many callers append, on one run and on ${GRID_RUNS}, in batches of so many?`,
  async run(scale) {
    const tables: Table[] = [];
    const figures: Figure[] = [];
    for (const store of STORES) {
      const table = await store.withWriters((writers) => measureGrid(scale, store, writers));
      tables.push(table);
      figures.push(
        { ...mostOf(table, OURS), name: `${store.name}: the most of ours` },
        { ...mostOf(table, BARE), name: `${store.name}: the most of bare` },
      );
    }
    return {
      targets: [],
      figures,
      tables,
      notes: [
        ...STORES.map(({ name, bare }) => `${name}: bare is ${bare}.`),
        `Medians of ${ROUNDS} rounds. CPU is user and system time of the process that appends.`,
      ],
    } satisfies Report;
  },
};

async function measureGrid(
  { quick, rounds }: Scale,
  { name }: GridStore,
  { ours, bare }: GridWriters,
): Promise<Table> {
  const rows: (readonly (string | number)[])[] = [];
  const acknowledged = { ours: 0, bare: 0 };
  for (const load of listLoads(quick ? QUICK_MILLIS : MILLIS)) {
    const append = async (who: "ours" | "bare"): Promise<Cost> => {
      const cost = await { ours, bare }[who].call("append", load);
      acknowledged[who] += cost.units;
      return cost;
    };
    const costs = await takeTurns(Math.min(rounds, ROUNDS), {
      ours: () => append("ours"),
      bare: () => append("bare"),
    });
    rows.push(rowOf(load, costs.ours, costs.bare));
  }
  await checkAcknowledged(name, { ours, bare }, acknowledged);
  return {
    header: [
      name,
      "callers",
      "batch",
      OURS,
      BARE,
      "ours / bare",
      "ours, CPU µs/event",
      "bare, CPU µs/event",
    ],
    rows,
  };
}

/** The greatest value of a column. */
function mostOf({ header, rows }: Table, title: string): Omit<Figure, "name"> {
  const column = header.indexOf(title);
  return { unit: "events/s", values: [Math.max(...rows.map((row) => Number(row[column])))] };
}

function listLoads(millis: number): readonly GridLoad[] {
  return RUNS.flatMap((runs) =>
    CALLERS.flatMap((callers) => BATCHES.map((batch) => ({ callers, batch, runs, millis }))),
  );
}

function rowOf(
  { callers, batch, runs }: GridLoad,
  ours: readonly Cost[],
  bare: readonly Cost[],
): readonly (string | number)[] {
  const eventsASecond = (costs: readonly Cost[]): number =>
    Math.round(1_000_000 / median(wallMicros(costs)));
  return [
    runs === 1 ? "one run" : `${runs} runs`,
    callers,
    batch,
    eventsASecond(ours),
    eventsASecond(bare),
    median(ratios(wallMicros(bare), wallMicros(ours))),
    median(cpuMicros(ours)),
    median(cpuMicros(bare)),
  ];
}

/** @throws unless each log holds as many events as were acknowledged. */
async function checkAcknowledged(
  name: string,
  writers: GridWriters,
  acknowledged: Readonly<Record<keyof GridWriters, number>>,
): Promise<void> {
  for (const who of ["ours", "bare"] as const) {
    const events = await writers[who].call("count");
    if (events !== acknowledged[who]) {
      throw new Error(
        `${name}, ${who}: of ${acknowledged[who]} acknowledged events the log holds ${events}.`,
      );
    }
  }
}
