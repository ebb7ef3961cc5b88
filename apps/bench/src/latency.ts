import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import type { startChild } from "./child.ts";
import { type Latency, openProbe, type Probe } from "./latency-probe.ts";
import type { Figure, Report, Scale, Section } from "./report.ts";
import { ratios, takeTurns } from "./rounds.ts";
import type { RunServer } from "./run-server.ts";
import { withServer } from "./with-server.ts";

/** A pause that outlasts every window. */
const PAUSE_MS = 20;

/** From an append at one server to the event at a reader of another, both on one store. */
export const latency: Section = {
  name: "latency",
  question: "How long is an event on its way from an append at one server to a reader of another?",
  run: measureLatency,
};

/** A store, and the processes on it. */
interface Subject {
  readonly store: string;
  /** How long it gathers what it tells other processes of, in milliseconds. */
  readonly windowMs: number;
  readonly ours: URL;
  readonly bare: URL;
}

async function measureLatency(scale: Scale): Promise<Report> {
  const postgres: Subject = {
    store: "Postgres",
    windowMs: 5,
    ours: new URL("latency-postgres-ours.ts", import.meta.url),
    bare: new URL("latency-postgres-bare.ts", import.meta.url),
  };
  const redis: Subject = {
    store: "Redis",
    windowMs: 0,
    ours: new URL("latency-redis-ours.ts", import.meta.url),
    bare: new URL("latency-redis-bare.ts", import.meta.url),
  };
  const reports = [
    await withServer(startPostgres(), async (server, start) => {
      const urls = { ours: await server.createDatabase(), bare: await server.createDatabase() };
      return compare(scale, postgres, urls, start);
    }),
    await withServer(startRedis(), ({ url }, start) =>
      compare(scale, redis, { ours: url, bare: url }, start),
    ),
  ];
  return {
    targets: reports.flatMap(({ targets }) => targets),
    figures: reports.flatMap(({ figures }) => figures),
    notes: [
      "From the beginning of the append's request to the event's frame in the reader, the same for ours and for bare.",
      "Bare is the same two node:http servers with one append and notification in the one, and a read on each notification in the other.",
    ],
  };
}

async function compare(
  { quick, rounds }: Scale,
  { store, windowMs, ours, bare }: Subject,
  urls: Readonly<Record<"ours" | "bare", string>>,
  start: typeof startChild,
): Promise<Pick<Report, "targets" | "figures">> {
  const appends = quick ? 20 : 300;
  const probes = {
    ours: await startPair(ours, urls.ours, start),
    bare: await startPair(bare, urls.bare, start),
  };
  try {
    const measured = await takeTurns(rounds, {
      ours: () => probes.ours.measure(appends, 0),
      bare: () => probes.bare.measure(appends, 0),
      oursPaused: () => probes.ours.measure(appends / 4, PAUSE_MS),
      barePaused: () => probes.bare.measure(appends / 4, PAUSE_MS),
    });
    const bound = measured.bare.map(({ p50 }) => 2 * p50 + windowMs);
    return {
      targets: [
        {
          name: `${store}: ours / (2 × bare + ${windowMs} ms), p50`,
          unit: "×",
          values: ratios(
            measured.ours.map(({ p50 }) => p50),
            bound,
          ),
          bound: 1,
          kind: "at most",
        },
      ],
      figures: [
        ...latencyFigures(`${store}, ours`, measured.ours),
        ...latencyFigures(`${store}, bare`, measured.bare),
        ...latencyFigures(`${store}, ours, ${PAUSE_MS} ms apart`, measured.oursPaused),
        ...latencyFigures(`${store}, bare, ${PAUSE_MS} ms apart`, measured.barePaused),
      ],
    };
  } finally {
    for (const probe of Object.values(probes)) probe.close();
  }
}

/** Two servers on one store: one to append to, the other to read from. */
async function startPair(module: URL, url: string, start: typeof startChild): Promise<Probe> {
  const appends = start<RunServer>(module, url);
  const streams = start<RunServer>(module, url);
  return openProbe(await appends.call("listen"), await streams.call("listen"));
}

function latencyFigures(name: string, latencies: readonly Latency[]): readonly Figure[] {
  return [
    { name: `${name}: p50`, unit: "ms", values: latencies.map(({ p50 }) => p50) },
    { name: `${name}: p99`, unit: "ms", values: latencies.map(({ p99 }) => p99) },
  ];
}
