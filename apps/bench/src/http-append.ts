import { join } from "node:path";
import { runIdOf } from "./append-writer.ts";
import { type Child, type startChild, withChildren } from "./child.ts";
import type { HttpLoader } from "./http-append-load.ts";
import { CONNECTIONS, type HttpAppendServer } from "./http-append-server.ts";
import type { Report, Scale, Section } from "./report.ts";
import { type Cost, costBetween, costFigures, ratios, takeTurns, wallMicros } from "./rounds.ts";
import { sampleEvent } from "./sample-event.ts";
import { withTempFolder } from "./temp-folder.ts";

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
}

/** What requests took the server and the process that sent them. */
interface Measured {
  readonly server: Cost;
  readonly load: Cost;
}

async function measureAppends(
  { quick, rounds }: Scale,
  folder: string,
  start: typeof startChild,
): Promise<Report> {
  const requests = quick ? 640 : 16_000;
  const loader = start<HttpLoader>(new URL("http-append-load.ts", import.meta.url));
  const ours = await startSubject(
    start,
    new URL("http-append-ours.ts", import.meta.url),
    join(folder, "ours.db"),
    requests,
  );
  const bare = await startSubject(
    start,
    new URL("http-append-bare.ts", import.meta.url),
    "",
    requests,
  );
  const bareSqlite = await startSubject(
    start,
    new URL("http-append-bare-sqlite.ts", import.meta.url),
    join(folder, "bare.db"),
    requests,
  );
  const peer: Subject = {
    ...(await startSubject(
      start,
      new URL("http-append-durable-streams.ts", import.meta.url),
      join(folder, "streams"),
      // Each waits for the disk by itself: so many take as long as ours.
      requests / 8,
    )),
    pathOf: (runId) => `/${runId}`,
    body: JSON.stringify(EVENT),
  };
  const spread = (subject: Subject) => () => send(loader, subject, CONNECTIONS);
  const hot = (subject: Subject) => () => send(loader, subject, 1);
  const costs = await takeTurns(rounds, {
    ours: spread(ours),
    bare: spread(bare),
    bareSqlite: spread(bareSqlite),
    peer: spread(peer),
    oursHot: hot(ours),
    bareSqliteHot: hot(bareSqlite),
    peerHot: hot(peer),
  });
  await checkCount(ours, 2 * (rounds + 1));
  await checkCount(bare, rounds + 1);
  await checkCount(bareSqlite, 2 * (rounds + 1));
  await checkCount(peer, 2 * (rounds + 1));
  return {
    targets: [
      {
        name: `${CONNECTIONS} runs: ours / durable-streams in files, requests a second`,
        unit: "×",
        values: ratios(wall(costs.peer), wall(costs.ours)),
        bound: 10,
        kind: "at least",
      },
      {
        name: `${CONNECTIONS} runs: ours / bare without a log, requests a second`,
        unit: "×",
        values: ratios(wall(costs.bare), wall(costs.ours)),
        bound: 0.6,
        kind: "at least",
      },
    ],
    figures: [
      {
        name: `${CONNECTIONS} runs: ours / bare with the same tables, requests a second`,
        unit: "×",
        values: ratios(wall(costs.bareSqlite), wall(costs.ours)),
      },
      {
        name: "one run: ours / durable-streams in files, requests a second",
        unit: "×",
        values: ratios(wall(costs.peerHot), wall(costs.oursHot)),
      },
      ...figuresOf(`ours, ${CONNECTIONS} runs`, costs.ours),
      ...figuresOf(`bare without a log, ${CONNECTIONS} runs`, costs.bare),
      ...figuresOf(`bare with the same tables, ${CONNECTIONS} runs`, costs.bareSqlite),
      ...figuresOf(`durable-streams in files, ${CONNECTIONS} streams`, costs.peer),
      ...figuresOf("ours, one run", costs.oursHot),
      ...figuresOf("bare with the same tables, one run", costs.bareSqliteHot),
      ...figuresOf("durable-streams in files, one stream", costs.peerHot),
    ],
    notes: [
      "Each log holds the events that were acknowledged, without a gap.",
      "durable-streams waits for fdatasync of the stream's file and for a commit of LMDB with each append.",
    ],
  };
}

async function startSubject(
  start: typeof startChild,
  module: URL,
  place: string,
  requests: number,
): Promise<Subject> {
  const server = start<HttpAppendServer>(module, place);
  return {
    server,
    port: await server.call("listen"),
    pathOf: (runId) => `/v1/agent-runs/${runId}/events`,
    body: JSON.stringify({ events: [EVENT] }),
    requests,
  };
}

/** Sends a round's requests, the connections spread over so many runs. */
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

/** @throws unless the log holds as many events as were acknowledged in so many rounds. */
async function checkCount({ server, requests }: Subject, rounds: number): Promise<void> {
  const events = await server.call("count");
  if (events !== requests * rounds) {
    throw new Error(`Of ${requests * rounds} acknowledged events the log holds ${events}.`);
  }
}
