import { join } from "node:path";
import { type Child, type startChild, withChildren } from "./child.ts";
import type { HttpLoader } from "./http-append-load.ts";
import type { HttpAppendServer } from "./http-append-subjects.ts";
import type { Report, Scale, Section } from "./report.ts";
import { type Cost, costBetween, costFigures, ratios, takeTurns, wallMicros } from "./rounds.ts";
import { runIdOf } from "./run-ids.ts";
import { sampleEvent } from "./sample-event.ts";
import { withTempFolder } from "./temp-folder.ts";

/** How many connections there are, each waiting for the answer to one request at any time; also how many runs. */
const CONNECTIONS = 32;
/** One event of about 300 bytes of payload. */
const EVENT = sampleEvent(400);

/** Appends over HTTP that are answered when they are on the disk, against what else a Node server could do with the same requests. */
export const httpAppend: Section = {
  name: "http-append",
  question: `How many appends of one event a second does a server answer over ${CONNECTIONS} connections?`,
  run: (scale) =>
    withTempFolder((folder) => withChildren((start) => measureAppends(scale, folder, start))),
};

/** A server, and how it is asked. */
interface Subject {
  readonly server: Child<HttpAppendServer>;
  readonly port: number;
  readonly pathOf: (runId: string) => string;
  readonly body: string;
  readonly requests: number;
  /** How many turns it has in a round. */
  readonly shapes: number;
}

/** What requests took the server and the process that sent them. */
interface Measured {
  readonly server: Cost;
  readonly load: Cost;
}

const SUBJECTS = ["ours", "bare", "durable-streams"] as const;
type SubjectName = (typeof SUBJECTS)[number];
/** A round of a subject, over all runs or on one. */
type Turn = `${SubjectName}, ${"spread" | "hot"}`;
type Costs = Readonly<Record<Turn, readonly Measured[]>>;

async function measureAppends(
  { quick, rounds }: Scale,
  folder: string,
  start: typeof startChild,
): Promise<Report> {
  const loader = start<HttpLoader>(new URL("http-append-load.ts", import.meta.url));
  const turns: (readonly [string, () => Promise<Measured>])[] = [];
  const subjects: Subject[] = [];
  for (const name of SUBJECTS) {
    const subject = await startSubject(start, name, folder, quick ? 640 : 16_000);
    subjects.push(subject);
    turns.push([`${name}, spread`, () => send(loader, subject, CONNECTIONS)]);
    // `bare` has no log, so one run is the same as many.
    if (name !== "bare") turns.push([`${name}, hot`, () => send(loader, subject, 1)]);
  }
  const costs = (await takeTurns(rounds, Object.fromEntries(turns))) as Costs;
  for (const subject of subjects) await checkCount(subject, rounds + 1);
  return reportOf(costs);
}

function reportOf(costs: Costs): Report {
  const faster = (than: Turn, ours: Turn): readonly number[] =>
    ratios(wall(costs[than]), wall(costs[ours]));
  return {
    targets: [
      {
        name: `${CONNECTIONS} runs: ours / durable-streams in files, requests a second`,
        unit: "×",
        values: faster("durable-streams, spread", "ours, spread"),
        bound: 10,
        kind: "at least",
      },
      {
        name: `${CONNECTIONS} runs: ours / bare without a log, requests a second`,
        unit: "×",
        values: faster("bare, spread", "ours, spread"),
        bound: 0.6,
        kind: "at least",
      },
    ],
    figures: [
      {
        name: "one run: ours / durable-streams in files, requests a second",
        unit: "×",
        values: faster("durable-streams, hot", "ours, hot"),
      },
      ...figuresOf(`ours, ${CONNECTIONS} runs`, costs["ours, spread"]),
      ...figuresOf(`bare without a log, ${CONNECTIONS} runs`, costs["bare, spread"]),
      ...figuresOf(
        `durable-streams in files, ${CONNECTIONS} streams`,
        costs["durable-streams, spread"],
      ),
      ...figuresOf("ours, one run", costs["ours, hot"]),
      ...figuresOf("durable-streams in files, one stream", costs["durable-streams, hot"]),
    ],
    notes: [
      "Each log holds the events that were acknowledged, without a gap.",
      "durable-streams waits for fdatasync of the stream's file and for a commit of LMDB with each append.",
    ],
  };
}

async function startSubject(
  start: typeof startChild,
  name: SubjectName,
  folder: string,
  requests: number,
): Promise<Subject> {
  const server = start<HttpAppendServer>(
    new URL("http-append-subjects.ts", import.meta.url),
    name,
    join(folder, name),
    String(CONNECTIONS),
  );
  const port = await server.call("listen");
  if (name === "durable-streams") {
    // Each append waits for the disk by itself: so many take as long as ours.
    const body = JSON.stringify(EVENT);
    return {
      server,
      port,
      pathOf: (runId) => `/${runId}`,
      body,
      requests: requests / 8,
      shapes: 2,
    };
  }
  return {
    server,
    port,
    pathOf: (runId) => `/v1/agent-runs/${runId}/events`,
    body: JSON.stringify({ events: [EVENT] }),
    requests,
    shapes: name === "bare" ? 1 : 2,
  };
}

/** Sends a round's requests, the connections spread over this many runs. */
async function send(loader: Child<HttpLoader>, subject: Subject, runs: number): Promise<Measured> {
  const { server, port, pathOf, body, requests } = subject;
  const paths = Array.from({ length: CONNECTIONS }, (_, index) => pathOf(runIdOf(index % runs)));
  const before = await server.call("usage");
  const load = await loader.call("send", { port, paths, body, requests });
  const { cpuMicros } = costBetween(before, await server.call("usage"), requests);
  return { server: { ...load, cpuMicros }, load };
}

function wall(costs: readonly Measured[]): readonly number[] {
  return wallMicros(costs.map(({ load }) => load));
}

function figuresOf(name: string, costs: readonly Measured[]): Report["figures"] {
  return [
    {
      name: `${name}, requests a second`,
      unit: "/s",
      values: wall(costs).map((micros) => 1_000_000 / micros),
    },
    ...costFigures(
      name,
      "request",
      costs.map(({ server }) => server),
    ),
    {
      name: `${name}, CPU of the load`,
      unit: "µs/request",
      values: costs.map(({ load }) => load.cpuMicros / load.units),
    },
  ];
}

/** @throws unless the log holds as many events as were acknowledged in this many rounds. */
async function checkCount({ server, requests, shapes }: Subject, rounds: number): Promise<void> {
  const events = await server.call("count");
  const acknowledged = requests * shapes * rounds;
  if (events !== acknowledged) {
    throw new Error(`Of ${acknowledged} acknowledged events the log holds ${events}.`);
  }
}
