import { join } from "node:path";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { runIdOf } from "./append-writer.ts";
import { type Child, type startChild, withChildren } from "./child.ts";
import type { AppendBody } from "./latency-by-request.ts";
import {
  type Latency,
  latencyFigures,
  type LatencySubject,
  measureLatency,
} from "./latency-measure.ts";
import type { LatencyStore } from "./latency-ours.ts";
import type { LatencyReaders } from "./latency-readers.ts";
import {
  DURABLE_STREAM_PATH,
  type LatencyAppender,
  type LatencyLoad,
  type LatencyServer,
} from "./latency-server.ts";
import type { Report, Scale, Section, Target } from "./report.ts";
import { ratios, takeTurns } from "./rounds.ts";
import { streamPath } from "./run-server.ts";
import { withTempFolder } from "./temp-folder.ts";
import { withServer } from "./with-server.ts";

const READERS = 100;
const INTERVAL_MS = 20;
/** What one process may take of a bare one, and two of two. */
const IN_PROCESS = 1.3;
const BETWEEN_PROCESSES = 2;
/** What the slowest hundredth may take of the median. */
const TAIL = 5;
/** How often the SQLite store looks for commits of other processes, by default. */
const SQLITE_POLL_MS = 10;

/** From an append to its event at the readers, in one process and between two on one store. */
export const latency: Section = {
  name: "latency",
  question: `How long is an event on its way to ${READERS} live readers of its run, ${1_000 / INTERVAL_MS} events a second?`,
  run: measureAll,
};

type Part = Pick<Report, "targets" | "figures">;
type Subjects<Name extends string> = Readonly<Record<Name, LatencySubject>>;

async function measureAll(scale: Scale): Promise<Report> {
  const parts = [
    await withTempFolder((folder) =>
      withChildren((start) => measureOneProcess(scale, createStage(start), folder)),
    ),
    await withTempFolder((folder) =>
      withChildren((start) => measureSqlite(scale, createStage(start), folder)),
    ),
    await withServer(startPostgres(), async (server, start) => {
      const urls = { ours: await server.createDatabase(), bare: await server.createDatabase() };
      return measurePostgres(scale, createStage(start), urls);
    }),
    await withServer(startRedis(), ({ url }, start) =>
      measureRedis(scale, createStage(start), url),
    ),
  ];
  return {
    targets: parts.flatMap(({ targets }) => targets),
    figures: parts.flatMap(({ figures }) => figures),
    notes: [
      "From the call of the append in its process to the event's last byte at each reader, the same for ours and for bare; where it says so, from the beginning of its request.",
      "Every reader had each event once and in order.",
    ],
  };
}

/** Starts subjects, all read by one process of their own. */
interface Stage {
  /** The run is appended to and read in this process. */
  one(module: URL, ...parameters: readonly string[]): Promise<LatencySubject>;
  /** The run is appended to in one process and read in another. */
  two(module: URL, ...parameters: readonly string[]): Promise<LatencySubject>;
  /** The run is in the one process, and appended to by requests of another. */
  byRequest(options: {
    readonly server: readonly [module: URL, ...parameters: readonly string[]];
    readonly body: AppendBody;
    readonly appendPath: string;
    readonly readPath: string;
  }): Promise<LatencySubject>;
}

type ServerAndAppender = LatencyServer & LatencyAppender;

function createStage(start: typeof startChild): Stage {
  const readers = start<LatencyReaders>(new URL("latency-readers.ts", import.meta.url));
  let count = 0;

  async function connect(
    appends: Child<LatencyAppender>,
    port: number,
    path: string,
  ): Promise<LatencySubject> {
    count += 1;
    const group = `subject ${count}`;
    // What must be there before readers come.
    await appends.call("append", { appends: 0, intervalMs: 0 });
    await readers.call("connect", { group, port, path, count: READERS });
    return { appends, readers, group, readerCount: READERS };
  }

  function startServer(module: URL, parameters: readonly string[]): Child<ServerAndAppender> {
    return start<ServerAndAppender>(module, ...parameters);
  }

  return {
    async one(module, ...parameters) {
      const server = startServer(module, parameters);
      return connect(server, await server.call("listen"), streamPath(runIdOf(0)));
    },
    async two(module, ...parameters) {
      const appends = startServer(module, parameters);
      await appends.call("append", { appends: 0, intervalMs: 0 });
      const server = startServer(module, parameters);
      return connect(appends, await server.call("listen"), streamPath(runIdOf(0)));
    },
    async byRequest({ server: [module, ...parameters], body, appendPath, readPath }) {
      const server = startServer(module, parameters);
      const port = await server.call("listen");
      const requests = new URL("latency-by-request.ts", import.meta.url);
      const appends = start<LatencyAppender>(requests, String(port), appendPath, body);
      return connect(appends, port, readPath);
    },
  };
}

function ours(store: LatencyStore, ...place: readonly string[]): readonly [URL, ...string[]] {
  return [new URL("latency-ours.ts", import.meta.url), store, ...place];
}

async function measureOneProcess(scale: Scale, stage: Stage, folder: string): Promise<Part> {
  const measured = await takeRounds(scale, {
    memory: await stage.one(...ours("memory")),
    memoryBare: await stage.one(new URL("latency-memory-bare.ts", import.meta.url)),
    sqlite: await stage.one(...ours("sqlite", join(folder, "ours.db"))),
    sqliteBare: await stage.one(
      new URL("latency-sqlite-bare.ts", import.meta.url),
      join(folder, "bare.db"),
    ),
    requests: await stage.byRequest({
      server: ours("memory"),
      body: "batch",
      appendPath: `/v1/agent-runs/${runIdOf(0)}/events`,
      readPath: streamPath(runIdOf(0)),
    }),
    durableStreams: await stage.byRequest({
      server: [new URL("latency-durable-streams.ts", import.meta.url)],
      body: "event",
      appendPath: DURABLE_STREAM_PATH,
      readPath: `${DURABLE_STREAM_PATH}?offset=-1&live=sse`,
    }),
  });
  const { memory, memoryBare, sqlite, sqliteBare } = measured;
  return {
    targets: [
      ratioTarget("memory", memory, memoryBare, IN_PROCESS),
      tailTarget("memory", memory),
      ratioTarget("SQLite", sqlite, sqliteBare, IN_PROCESS),
      tailTarget("SQLite", sqlite),
    ],
    figures: [
      ...latencyFigures("memory, ours", memory),
      ...latencyFigures("memory, bare", memoryBare),
      ...latencyFigures("memory, ours, by request", measured.requests),
      ...latencyFigures("@durable-streams/server, memory, by request", measured.durableStreams),
      ...latencyFigures("SQLite, ours", sqlite),
      ...latencyFigures("SQLite, bare", sqliteBare),
    ],
  };
}

async function measureSqlite(scale: Scale, stage: Stage, folder: string): Promise<Part> {
  const measured = await takeRounds(scale, {
    sqlite: await stage.two(...ours("sqlite", join(folder, "ours.db"))),
  });
  const name = "SQLite, two processes";
  return {
    targets: [
      {
        name: `${name}: p50`,
        unit: "ms",
        values: measured.sqlite.map(({ p50 }) => p50),
        bound: SQLITE_POLL_MS,
        kind: "at most",
      },
      tailTarget(name, measured.sqlite),
    ],
    figures: latencyFigures(`${name}, ours`, measured.sqlite),
  };
}

async function measurePostgres(
  scale: Scale,
  stage: Stage,
  urls: Readonly<Record<"ours" | "bare", string>>,
): Promise<Part> {
  return compareTwo(scale, "Postgres", {
    ours: await stage.two(...ours("postgres", urls.ours)),
    bare: await stage.two(new URL("latency-postgres-bare.ts", import.meta.url), urls.bare),
  });
}

async function measureRedis(scale: Scale, stage: Stage, url: string): Promise<Part> {
  const compared = await compareTwo(scale, "Redis", {
    ours: await stage.two(...ours("redis", url)),
    bare: await stage.two(new URL("latency-redis-bare.ts", import.meta.url), url),
  });
  const { peer } = await takeRounds(scale, {
    peer: await stage.two(new URL("latency-resumable-stream.ts", import.meta.url), url),
  });
  return {
    targets: compared.targets,
    figures: [
      ...compared.figures,
      ...latencyFigures("resumable-stream on Redis, two processes", peer),
    ],
  };
}

/** Two processes of ours against two bare ones. */
async function compareTwo(
  scale: Scale,
  store: string,
  subjects: Subjects<"ours" | "bare">,
): Promise<Part> {
  const name = `${store}, two processes`;
  const measured = await takeRounds(scale, subjects);
  return {
    targets: [
      ratioTarget(name, measured.ours, measured.bare, BETWEEN_PROCESSES),
      tailTarget(name, measured.ours),
    ],
    figures: [
      ...latencyFigures(`${name}, ours`, measured.ours),
      ...latencyFigures(`${name}, bare`, measured.bare),
    ],
  };
}

/** Measures each in its turn. */
function takeRounds<Name extends string>(
  { quick, rounds }: Scale,
  subjects: Subjects<Name>,
): Promise<Readonly<Record<Name, readonly Latency[]>>> {
  const load: LatencyLoad = { appends: quick ? 10 : 75, intervalMs: INTERVAL_MS };
  const turns = Object.entries<LatencySubject>(subjects).map(
    ([name, subject]) => [name, () => measureLatency(subject, load)] as const,
  );
  return takeTurns(rounds, Object.fromEntries(turns) as Record<Name, () => Promise<Latency>>);
}

function ratioTarget(
  name: string,
  measured: readonly Latency[],
  bare: readonly Latency[],
  bound: number,
): Target {
  const p50 = (of: readonly Latency[]): readonly number[] => of.map((one) => one.p50);
  return {
    name: `${name}: ours / bare, p50`,
    unit: "×",
    values: ratios(p50(measured), p50(bare)),
    bound,
    kind: "at most",
  };
}

function tailTarget(name: string, measured: readonly Latency[]): Target {
  return {
    name: `${name}: p99 / p50`,
    unit: "×",
    values: measured.map(({ p50, p99 }) => p99 / p50),
    bound: TAIL,
    kind: "at most",
  };
}
