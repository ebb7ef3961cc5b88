import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import { checkCount } from "./count-events.ts";
import type { HttpLoader } from "./http-append-load.ts";
import type { HttpAppendServer } from "./http-append-subjects.ts";
import type { Figure, Scale, Section } from "./report.ts";
import { type Cost, costFigures, costOf, ratios, takeTurns, wallMicros } from "./rounds.ts";
import { runIdOf } from "./run-ids.ts";
import { sampleEvent } from "./sample-event.ts";
import { createTempFolder } from "./temp-folder.ts";

/** The number of connections, each waiting for the answer to one request at any time; also the number of runs. */
const CONNECTIONS = 32;
/** One event of about 300 bytes of payload. */
const EVENT = sampleEvent(400);

/** Appends over HTTP that are answered when they are on the disk, against what else a Node server could do with the same requests. */
export const httpAppend: Section = {
  name: "http-append",
  question: `How many appends of one event a second does a server answer over ${CONNECTIONS} connections?`,
  run: measureAppends,
};

/** A server, and how it is asked. */
interface Subject {
  readonly server: Child<HttpAppendServer>;
  readonly port: number;
  readonly pathOf: (runId: string) => string;
  readonly body: string;
  readonly requests: number;
}

async function measureAppends(
  { quick, rounds }: Scale,
  scope: AsyncDisposableStack,
): Promise<readonly Figure[]> {
  const folder = await createTempFolder(scope);
  const loader = startChild<HttpLoader>(scope, new URL("http-append-load.ts", import.meta.url));
  const start = async (name: string): Promise<Pick<Subject, "server" | "port">> => {
    const parameters = [name, join(folder, name), String(CONNECTIONS)];
    const server = startChild<HttpAppendServer>(
      scope,
      new URL("http-append-subjects.ts", import.meta.url),
      parameters,
    );
    return { server, port: await server.call("listen") };
  };
  const requests = quick ? 640 : 16_000;
  const ours: Subject = {
    ...(await start("ours")),
    pathOf: (runId) => `/v1/agent-runs/${runId}/events`,
    body: JSON.stringify({ events: [EVENT] }),
    requests,
  };
  const streams: Subject = {
    ...(await start("durable-streams")),
    pathOf: (runId) => `/${runId}`,
    body: JSON.stringify(EVENT),
    // Each append waits for the disk by itself, so an eighth of them takes as long as ours.
    requests: requests / 8,
  };
  const costs = await takeTurns(rounds, {
    ours: () => send(loader, ours, CONNECTIONS),
    streams: () => send(loader, streams, CONNECTIONS),
    oursHot: () => send(loader, ours, 1),
    streamsHot: () => send(loader, streams, 1),
  });
  for (const { server, requests: sent } of [ours, streams])
    checkCount(await server.call("count"), sent * 2 * (rounds + 1));
  return [
    {
      name: `${CONNECTIONS} runs: ours / durable-streams in files, requests a second`,
      unit: "×",
      values: ratios(wallMicros(costs.streams), wallMicros(costs.ours)),
      atLeast: 10,
    },
    {
      name: "one run: ours / durable-streams in files, requests a second",
      unit: "×",
      values: ratios(wallMicros(costs.streamsHot), wallMicros(costs.oursHot)),
    },
    ...figuresOf(`ours, ${CONNECTIONS} runs`, costs.ours),
    ...figuresOf(`durable-streams in files, ${CONNECTIONS} streams`, costs.streams),
    ...figuresOf("ours, one run", costs.oursHot),
    ...figuresOf("durable-streams in files, one stream", costs.streamsHot),
  ];
}

/** Sends a round's requests, the connections spread over this many runs. */
function send(
  loader: Child<HttpLoader>,
  { server, port, pathOf, body, requests }: Subject,
  runs: number,
): Promise<Cost> {
  const paths = Array.from({ length: CONNECTIONS }, (_, index) => pathOf(runIdOf(index % runs)));
  return costOf(server, requests, () => loader.call("send", { port, paths, body, requests }));
}

function figuresOf(name: string, costs: readonly Cost[]): readonly Figure[] {
  const values = wallMicros(costs).map((micros) => 1_000_000 / micros);
  return [
    { name: `${name}, requests a second`, unit: "/s", values },
    ...costFigures(name, "request", costs),
  ];
}
