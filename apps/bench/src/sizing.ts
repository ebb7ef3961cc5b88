import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { postgresUsage, redisUsage } from "./database-usage.ts";
import { type Figure, type Report, type Section, type Target } from "./report.ts";
import { plan, type Plan, predict, type UnitCosts } from "./sizing-model.ts";
import { measureMixes, type SizingRounds } from "./sizing-rounds.ts";
import { type Measured, solve } from "./sizing-solve.ts";
import { withServer } from "./with-server.ts";

/** How far what is measured may be from the model, either way. */
const MOST_ERROR = 1.35;
/** What the model is asked for: a reader for each of as many runs, a tenth of which get an event in a second. */
const GOAL = { appends: 100_000, wakes: 100_000, deliveries: 100_000, streams: 1_000_000 };
const EACH_SERVER = { utilisation: 0.6, streamsAServer: 25_000 };

/** What a unit of each kind of work takes, whether that adds up, and what a large deployment would need. */
export const sizing: Section = {
  name: "sizing",
  question:
    "What do an append, a wake, a delivery and a stream take, do they add up, and what would 1,000,000 readers and 100,000 appends a second need?",
  async run(scale) {
    const postgres = await withServer(startPostgres(), async (server, start) => {
      const url = await server.createDatabase();
      const usage = () => postgresUsage(url, server.dataFolder);
      return measureMixes(scale, { url, usage }, start);
    });
    const redis = await withServer(startRedis(), async ({ url }, start) => {
      const client = new Redis(url);
      try {
        return await measureMixes(scale, { url, usage: () => redisUsage(client) }, start);
      } finally {
        client.disconnect();
      }
    });
    const reports = [
      describe("Postgres", "write-ahead log", postgres, { ...EACH_SERVER, databaseCores: 32 }),
      describe("Redis", "memory", redis, { ...EACH_SERVER, databaseCores: 1 }),
    ];
    return {
      targets: reports.flatMap(({ targets }) => targets),
      figures: reports.flatMap(({ figures }) => figures),
      notes: [
        "Two servers share a store: one takes appends by HTTP, the other has the streams. Three loads give the costs; two other loads are held against what these add up to.",
        `Planned with ${100 * EACH_SERVER.utilisation} % of a core. A server is one process with at most ${count(EACH_SERVER.streamsAServer)} streams; a Postgres has 32 cores, a Redis node one.`,
      ],
    };
  },
};

function describe(
  store: string,
  written: string,
  { mixes, idle }: SizingRounds,
  limits: Plan,
): Pick<Report, "targets" | "figures"> {
  const costs = solve(mixes, idle);
  return {
    targets: [
      ...compare(`${store}, a slower load`, mixes.slower, costs),
      ...compare(`${store}, a faster load`, mixes.faster, costs),
    ],
    figures: [
      ...costFigures(store, costs),
      {
        name: `${store}: ${written} an event`,
        unit: "B",
        values: mixes.unread.map(({ bytesAnEvent }) => bytesAnEvent),
      },
      ...needFigures(store, costs, limits),
    ],
  };
}

/** Holds what was measured of a load against what the costs add up to: the farther way off is judged. */
function compare(name: string, measured: readonly Measured[], costs: UnitCosts): Target[] {
  return (["appending", "streaming", "database"] as const).map((part) => ({
    name: `${name}, ${part}: model / measured or measured / model, CPU`,
    unit: "×",
    values: measured.map((round) => {
      const ratio = predict(round.load, costs)[part] / round[part];
      return Math.max(ratio, 1 / ratio);
    }),
    bound: MOST_ERROR,
    kind: "at most",
  }));
}

function costFigures(store: string, costs: UnitCosts): readonly Figure[] {
  const figure = figuresOf(store);
  return [
    figure("an append by HTTP, server", "µs", costs.append),
    figure("an append, database", "µs", costs.appendInDatabase),
    figure("a wake and its read, server", "µs", costs.wake),
    figure("a wake and its read, database", "µs", costs.wakeInDatabase),
    figure("a delivery, server", "µs", costs.delivery),
    figure("an append to a run that a server does not read, server", "µs", costs.unheard),
    figure("an idle stream, a second", "µs", costs.stream),
    figure("a stream", "KiB", costs.streamBytes / 1_024),
  ];
}

function needFigures(store: string, costs: UnitCosts, limits: Plan): readonly Figure[] {
  const needs = plan(GOAL, costs, limits);
  const figure = figuresOf(
    `${count(GOAL.streams)} readers, ${count(GOAL.appends)} appends/s on ${store}`,
  );
  return [
    figure("databases", "processes", needs.databases),
    figure("cores of all databases", "cores", needs.databaseCores),
    figure("servers that take appends", "processes", needs.appendingServers),
    figure("servers that hold streams", "processes", needs.streamingServers),
    figure("memory of the streams", "GiB", needs.streamGiB),
  ];
}

/** Makes figures of one value whose names begin alike. */
function figuresOf(subject: string): (what: string, unit: string, value: number) => Figure {
  return (what, unit, value) => ({ name: `${subject}: ${what}`, unit, values: [value] });
}

function count(value: number): string {
  return value.toLocaleString("en");
}
