import {
  type CrashHooks,
  type Network,
  runProcessConformance,
} from "@tm/run-events-conformance/processes";
import { type RedisProgram, startRedis, startRedisCluster } from "@tm/run-events-test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PrefixPlace, ServersPlace } from "./open-in-process.ts";

/** Servers of this file, so that keys are removed with them. */
interface Servers extends CrashHooks {
  readonly place: ServersPlace;
  close(): Promise<void>;
}

interface Setup {
  readonly name: string;
  readonly profile: "quick" | "ci";
  /** Which cases are run. */
  readonly has: (name: string) => boolean;
  /** The network on which connections are lost; `null` where the nodes of a cluster name each other. */
  readonly network: Network<PrefixPlace> | null;
  start(): Promise<Servers>;
}

const settings = ["--appendfsync", "always"];

/**
 * The cases in which another server or client may differ, since the store's scripts are the same everywhere: racing programs, notifications,
 * lost connections and crashes of the server. A case takes seconds, most of them to start its processes.
 */
const isDiffering = (name: string): boolean => /^S4|^S13|connection|the server crashed/.test(name);

const network: Network<PrefixPlace> = {
  server(place) {
    const { hostname: host, port } = new URL("url" in place ? place.url : "");
    return { host, port: Number(port) };
  },
  through(place, { host, port }) {
    return "url" in place ? { ...place, url: `redis://${host}:${port}` } : place;
  },
};

type OneClient = Extract<ServersPlace, { readonly url: string }>["client"];

async function startOne(program: RedisProgram, client: OneClient): Promise<Servers> {
  const server = await startRedis({ program, settings });
  return {
    place: { client, url: server.url },
    kill: () => server.kill(),
    restart: () => server.start(),
    close: () => server.close(),
  };
}

/** A cluster whose nodes crash all at once, as those of one machine do. */
async function startCluster(): Promise<Servers> {
  const { nodes, kill, start, masters, close } = await startRedisCluster({ settings });
  const indexes = [...nodes.keys()];
  return {
    place: { client: "ioredis cluster", nodes },
    async kill() {
      await Promise.all(indexes.map(kill));
    },
    async restart() {
      await Promise.all(indexes.map(start));
      await expect.poll(masters, { timeout: 20_000 }).toEqual(indexes);
    },
    close,
  };
}

const SETUPS: readonly Setup[] = [
  {
    name: "redis-server with ioredis",
    profile: "ci",
    has: () => true,
    network,
    start: () => startOne("redis-server", "ioredis"),
  },
  {
    name: "valkey-server with iovalkey",
    profile: "quick",
    has: isDiffering,
    network,
    start: () => startOne("valkey-server", "iovalkey"),
  },
  {
    name: "redis-server with ioredis that sends once",
    profile: "quick",
    has: (name) => name.includes("connection"),
    network,
    start: () => startOne("redis-server", "ioredis that sends once"),
  },
  {
    name: "redis-server with node-redis",
    profile: "quick",
    has: isDiffering,
    network,
    start: () => startOne("redis-server", "node-redis"),
  },
  {
    name: "a cluster of redis-server with ioredis",
    profile: "quick",
    has: isDiffering,
    network: null,
    start: startCluster,
  },
];

describe.each(SETUPS)("the Redis store on $name, in many processes", (setup) => {
  const { name, profile, has, network: way, start } = setup;
  let servers: Servers;
  beforeAll(async () => {
    servers = await start();
  });
  afterAll(() => servers.close());

  const cases = runProcessConformance<PrefixPlace>({
    name,
    module: new URL("open-in-process.ts", import.meta.url),
    prepare: () => ({ ...servers.place, prefix: crypto.randomUUID() }),
    crash: {
      kill: () => servers.kill(),
      restart: () => servers.restart(),
    },
    ...(way === null ? {} : { network: way }),
    profile,
    workers: profile === "ci" ? 3 : 2,
    execArgv: ["-C", "@tm/source"],
  });
  for (const { name: title, run, timeoutMs } of cases) {
    if (has(title)) it(title, run, timeoutMs);
  }
});
