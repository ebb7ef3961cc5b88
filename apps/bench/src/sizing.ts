import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { postgresUsage, redisUsage } from "./database-usage.ts";
import { type Figure, type Report, type Section, type Target } from "./report.ts";
import { type PerUnit, plan, type Plan, predict } from "./sizing-model.ts";
import { CALIBRATING, HELD_OUT, type Mix } from "./sizing-mixes.ts";
import { measureMixes, type SizingRounds } from "./sizing-rounds.ts";
import { type Measured, solve } from "./sizing-solve.ts";
import { withServer } from "./with-server.ts";

/** How far what is measured may be from the model, either way. */
const MOST_ERROR = 1.35;
/** What the model is asked for: a reader for each of as many runs, a tenth of which get an event in a second. */
const GOAL = { appends: 100_000, wakes: 100_000, deliveries: 100_000, streams: 1_000_000 };
/**
 * How many appends share a commit there, and wakes a read. A server that is planned with takes some 3,000 appends a second, two
 * commits at a time: where a commit takes 3 ms, four meet. A busy one gathers more: 22 (`http-append`).
 */
const MEETING = 4;
const EACH_SERVER = { utilisation: 0.6, streamsAServer: 25_000 };

/** What a unit of each kind of work takes, whether that adds up, and what a large deployment would need. */
export const sizing: Section = {
  name: "sizing",
  question:
    "What do a commit, an append, a read, a delivery and a stream take, do they add up, and what would 1,000,000 readers and 100,000 appends a second need?",
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
        `Two servers share a store: one takes appends by HTTP, the other has the streams. ${CALIBRATING.length} loads and two times without any give the costs; ${HELD_OUT.length} other loads are held against what these add up to.`,
        `Planned with ${100 * EACH_SERVER.utilisation} % of a core. A server is one process with at most ${count(EACH_SERVER.streamsAServer)} streams; a Postgres has 32 cores, a Redis node one.`,
        `The plan assumes that ${MEETING} appends share a commit and ${MEETING} wakes a read; beside it stands what it is if none do.`,
      ],
    };
  },
};

function describe(
  store: string,
  written: string,
  { mixes, idle, streamBytes, bytesAnEvent }: SizingRounds,
  limits: Omit<Plan, "streamBytes">,
): Pick<Report, "targets" | "figures"> {
  const roundsOf = ({ name }: Mix): readonly Measured[] => mixes.get(name) ?? [];
  const costs = solve([...CALIBRATING.map(roundsOf), ...idle.map((one) => [one])]);
  const figure = figuresOf(store);
  const whole = { ...limits, streamBytes };
  return {
    targets: HELD_OUT.flatMap((mix) => compare(`${store}, ${mix.name}`, roundsOf(mix), costs)),
    figures: [
      ...costFigures(store, costs),
      figure("a stream", "KiB", streamBytes / 1_024),
      figure(`${written} an event`, "B", bytesAnEvent),
      ...needFigures(store, costs, whole, MEETING),
      ...needFigures(store, costs, whole, 1),
    ],
  };
}

/** Holds what was measured of a load against what the costs add up to: the farther way off is judged. */
function compare(name: string, measured: readonly Measured[], costs: PerUnit): Target[] {
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

function costFigures(
  store: string,
  { appending, streaming, database }: PerUnit,
): readonly Figure[] {
  const figure = figuresOf(store);
  return [
    figure("a commit, server", "µs", appending.commit),
    figure("an append in it by HTTP, server", "µs", appending.append),
    figure("a commit of one append, database", "µs", database.commit),
    figure("a commit of several, database", "µs", database.commit + database.sharedCommit),
    figure("an append in it, database", "µs", database.append),
    figure("a read, server", "µs", streaming.read),
    figure("a wake in it, server", "µs", streaming.wake),
    figure("a read, database", "µs", database.read),
    figure("a wake in it, database", "µs", database.wake),
    figure("a delivery, server", "µs", streaming.delivery),
    figure("a notification of commits, server that hears it", "µs", streaming.notification),
    figure("an append in it to a run that it has no reader of", "µs", streaming.unheard),
    // Their sum is what is told apart well: the one hides behind the other where a run has few streams.
    figure(
      "an idle stream of a run of its own, a second, server",
      "µs",
      streaming.stream + streaming.watched,
    ),
    figure("a run with streams, a second, database", "µs", database.watched),
    figure("by itself, a second, database", "µs", database.itself),
  ];
}

/** @param meeting how many appends share a commit, and wakes a read */
function needFigures(
  store: string,
  costs: PerUnit,
  limits: Plan,
  meeting: number,
): readonly Figure[] {
  const commits = GOAL.appends / meeting;
  const load = {
    ...GOAL,
    commits,
    sharedCommits: meeting > 1 ? commits : 0,
    reads: GOAL.wakes / meeting,
    watched: GOAL.streams,
  };
  const needs = plan(load, costs, limits);
  const figure = figuresOf(
    `${count(GOAL.streams)} readers, ${count(GOAL.appends)} appends/s, ${meeting} at a time, on ${store}`,
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
