import { type RedisServer, startRedis } from "@tm/run-events-test-servers";
import { runIdOf } from "./append-writer.ts";
import type { startChild } from "./child.ts";
import { measureDeliveries, verifyDeliveries } from "./deliveries.ts";
import type { FanoutServer } from "./fanout-server.ts";
import { ID_LINE, type Mark, SEQUENCE_FIELD } from "./reader-mark.ts";
import type { Readers } from "./readers.ts";
import type { Report, Scale, Section } from "./report.ts";
import { type Cost, cpuMicros, takeTurns } from "./rounds.ts";
import { streamPath } from "./run-server.ts";
import { withServer } from "./with-server.ts";

interface Subject {
  readonly module: URL;
  readonly path: (runId: string) => string;
  readonly mark: Mark;
  /** Whether it keeps its events in Redis, or sends them through it. */
  readonly redis: boolean;
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  ours: {
    module: new URL("one-reader-ours.ts", import.meta.url),
    path: streamPath,
    mark: ID_LINE,
    redis: false,
  },
  "response.write": {
    module: new URL("one-reader-bare.ts", import.meta.url),
    path: (runId) => `/${runId}`,
    mark: ID_LINE,
    redis: false,
  },
  "durable-streams": {
    module: new URL("one-reader-durable-streams.ts", import.meta.url),
    path: (runId) => `/${runId}?offset=-1&live=sse`,
    mark: SEQUENCE_FIELD,
    redis: false,
  },
  "ours on Redis": {
    module: new URL("one-reader-ours.ts", import.meta.url),
    path: streamPath,
    mark: ID_LINE,
    redis: true,
  },
  "resumable-stream on Redis": {
    module: new URL("one-reader-resumable-stream.ts", import.meta.url),
    path: (runId) => `/${runId}`,
    mark: ID_LINE,
    redis: true,
  },
};

/** What one event costs where no two readers share it: the usual case of agents, a run and a tab each. */
export const oneReader: Section = {
  name: "one-reader",
  question: "What does a delivery cost the server when each of 1,000 runs has one live reader?",
  run: (scale) => withServer(startRedis(), (redis, start) => measureOneReader(scale, redis, start)),
};

async function measureOneReader(
  { quick, rounds }: Scale,
  { url }: RedisServer,
  start: typeof startChild,
): Promise<Report> {
  const count = quick ? 20 : 1_000;
  const runIds = Array.from({ length: count }, (_, index) => runIdOf(index));
  const readers = start<Readers>(new URL("readers.ts", import.meta.url));
  const turns: Record<string, () => Promise<Cost>> = {};
  for (const [group, { module, path, mark, redis }] of Object.entries(SUBJECTS)) {
    const server = start<FanoutServer>(module, String(count), ...(redis ? [url] : []));
    const port = await server.call("listen");
    await readers.call("connect", { group, port, paths: runIds.map(path), stalled: false, mark });
    const load = { group, count, burst: 1, publishes: quick ? 2 : 10 };
    turns[group] = () => measureDeliveries(server, readers, load);
  }
  const costs = await takeTurns(rounds, turns);
  return {
    targets: [],
    figures: Object.entries(costs).map(([name, of]) => ({
      name: `${name}, CPU`,
      unit: "µs/delivery",
      values: cpuMicros(of),
    })),
    notes: [
      ...(await Promise.all(
        Object.keys(SUBJECTS).map((group) => verifyDeliveries(readers, group)),
      )),
      "An append is in these figures, since every delivery has one; what Redis takes is not.",
      "resumable-stream keeps the events in the memory of who produces them; these readers have resumed, so that each event goes through Redis.",
    ],
  };
}
