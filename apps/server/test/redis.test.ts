import {
  REDIS_PROGRAMS,
  startRedis,
  startRedisCluster,
  startTcpProxy,
  type RedisServer,
} from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { openLate } from "../src/late-store.ts";
import { openStore } from "../src/open-store.ts";
import { call } from "./client.ts";
import { expectToOutlive, expectToSaySo } from "./outage.ts";
import { ADA, type ServerProcess, startServer } from "./start-server.ts";
import { expectWholeJourney } from "./store-journey.ts";

/** With these a kill loses nothing. */
const DURABLE = { settings: ["--appendfsync", "always"] };

/** With these a replica also gets its copy at once. */
const FOLLOWED = { settings: [...DURABLE.settings, "--repl-diskless-sync-delay", "0"] };

/** One line each, however often the server tried. The test ends too soon for a second one. */
function expectOneLoss(logged: readonly string[]): void {
  const said = logged.filter((event) => event.startsWith("store_"));
  expect(said.slice(0, 2)).toEqual(["store_lost", "store_back"]);
}

async function redisOf(...options: Parameters<typeof startRedis>): Promise<RedisServer> {
  const redis = await startRedis(...options);
  onTestFinished(() => redis.close());
  return redis;
}

function clientOf({ port, host }: RedisServer): Redis {
  const client = new Redis(port, host);
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

/** A server whose URL names its master by a host name, with one run, and a replica that can take the master's place. */
async function startBehindName(): Promise<{
  readonly server: ServerProcess;
  /** The replica becomes the master and the other way round, and the name leads to the new master. The old connections stay. */
  failOver(): Promise<void>;
}> {
  const [master, replica] = await Promise.all([redisOf(FOLLOWED), redisOf(FOLLOWED)]);
  const name = await startTcpProxy({ to: master });
  onTestFinished(() => name.close());
  const [first, second] = [clientOf(master), clientOf(replica)];
  await second.replicaof(master.host, master.port);
  const server = await startServer({ STORE_URL: `redis://${name.host}:${name.port}` });
  await call(`${server.url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
  return {
    server,
    async failOver() {
      // Writes that only the old master had would be lost, since replicas lag. So the replica has all before it takes its place.
      await first.set("last", "write");
      expect(await first.wait(1, 30_000)).toBe(1);
      await second.replicaof("NO", "ONE");
      await first.replicaof(replica.host, replica.port);
      name.moveTo(replica);
    },
  };
}

/** The status of the first of a few requests that the store does not fail. */
async function untilOk(request: () => Promise<number>): Promise<number> {
  let status = 503;
  for (let tries = 0; tries < 10 && status === 503; tries++) status = await request();
  return status;
}

describe("the server on Redis", () => {
  it.each(REDIS_PROGRAMS)(
    "the server on %s serves a run from its creation to its deletion, over a restart",
    async (program) => {
      const { host, port } = await redisOf({ program, settings: ["--requirepass", "hunter2"] });
      await expectWholeJourney(`redis://:hunter2@${host}:${port}/3`, `redis://${host}:${port}/3`);
    },
  );

  it.each([
    [["--appendonly", "no"], "durability memory: a crash or a restart of it may lose"],
    [[...DURABLE.settings, "--no-appendfsync-on-rewrite", "yes"], "durability process: a loss of"],
    [["--rename-command", "CONFIG", ""], "durability unknown: it does not report"],
    [DURABLE.settings, null],
  ])("S6: the server's start prints what a Redis with %j may lose: %s", async (settings, said) => {
    const server = await startServer({ STORE_URL: (await redisOf({ settings })).url });
    await expect.poll(() => server.stdout(), { timeout: 20_000 }).toContain("limit=5");
    if (said === null) expect(server.stdout()).not.toContain("durability");
    else expect(server.stdout()).toContain(`\n  store    ${said}`);
  });

  it("W3, W27, W30: the server stays up while Redis is down, and is ready again when it is back", async () => {
    const redis = await redisOf(DURABLE);
    const start = (): Promise<void> => redis.start();
    const logged = await expectToOutlive(redis.url, { stop: () => redis.kill(), start });
    expectOneLoss(logged);
  });

  it("W27, W30: the server leaves a master that has become a replica for the new master of that name, and nothing is lost", async () => {
    const { server, failOver } = await startBehindName();
    const events = `${server.url}/v1/agent-runs/r/events`;
    const append = async (value: number): Promise<number> =>
      (await call(events, ADA, "POST", { events: [{ eventType: "TOKEN", payload: value }] }))
        .status;
    expect(await append(1)).toBe(201);
    await failOver();
    // Core itself sends an append again that was refused and may have landed.
    expect(await untilOk(() => append(2))).toBe(201);
    expect(await append(3)).toBe(201);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    const page = (await (await call(events, ADA)).json()) as {
      readonly events: readonly { readonly payload: number }[];
    };
    expect(page.events.map(({ payload }) => payload)).toEqual([1, 2, 3]);
  });

  it("a call to a Redis that was away at the start is no larger than one that it takes", async () => {
    const { host, port } = await redisOf();
    const node = { host, port, username: null, password: null };
    const storeUrl = { kind: "redis", tls: false, database: 0, ...node } as const;
    const opened = await openStore(storeUrl, () => {});
    onTestFinished(() => opened.release());
    onTestFinished(() => opened.store.close());
    const late = openLate(async () => opened, new Error("away"));
    const { mostEvents, mostBytes } = late.store.capabilities;
    await late.release();
    expect(mostEvents).toBeLessThanOrEqual(opened.store.capabilities.mostEvents);
    expect(mostBytes).toBeLessThanOrEqual(opened.store.capabilities.mostBytes);
  });

  it("W27: the server leaves a master that has become a replica even if all requests are reads", async () => {
    const { server, failOver } = await startBehindName();
    await failOver();
    const run = `${server.url}/v1/agent-runs/r`;
    expect(await untilOk(async () => (await call(run, ADA)).status)).toBe(200);
  });

  it("W30: the server is not ready while Redis does not answer", async () => {
    await expectToSaySo((await redisOf()).url);
  });
});

describe("the server on a Redis Cluster", () => {
  it("the server on a Redis Cluster serves a run from its creation to its deletion, over a restart", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.close());
    await expectWholeJourney(cluster.url, cluster.url);
  });

  it("W3, W27, W30: the server stays up while the whole cluster is down, and is ready again when it is back", async () => {
    const cluster = await startRedisCluster(DURABLE);
    onTestFinished(() => cluster.close());
    const nodes = cluster.nodes.map((_, index) => index);
    const logged = await expectToOutlive(cluster.url, {
      stop: () => Promise.all(nodes.map((node) => cluster.kill(node))),
      start: () => Promise.all(nodes.map((node) => cluster.start(node))),
    });
    expectOneLoss(logged);
  });
});
