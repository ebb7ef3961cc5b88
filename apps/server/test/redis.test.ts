import {
  REDIS_PROGRAMS,
  startRedis,
  startRedisCluster,
  type RedisServer,
} from "@tm/run-events-test-servers";
import { describe, expect, it, onTestFinished } from "vitest";
import { expectToOutlive, expectToSaySo } from "./outage.ts";
import { startServer } from "./start-server.ts";
import { expectWholeJourney } from "./store-journey.ts";

/** So that a kill loses nothing. */
const DURABLE = { settings: ["--appendfsync", "always"] };

/** Once each, however often the server tried. The end comes too soon to say it again. */
function expectOneLoss(logged: readonly string[]): void {
  const said = logged.filter((event) => event.startsWith("store_"));
  expect(said.slice(0, 2)).toEqual(["store_lost", "store_back"]);
}

async function redisOf(...options: Parameters<typeof startRedis>): Promise<RedisServer> {
  const redis = await startRedis(...options);
  onTestFinished(() => redis.close());
  return redis;
}

describe("the server on Redis", () => {
  it.each(REDIS_PROGRAMS)(
    "takes a run from its making to its deletion, over a restart, on %s",
    async (program) => {
      const { host, port } = await redisOf({ program, settings: ["--requirepass", "hunter2"] });
      await expectWholeJourney(`redis://:hunter2@${host}:${port}/3`, `redis://${host}:${port}/3`);
    },
  );

  it.each([
    [["--appendonly", "no"], "durability memory: a crash or a restart of it may lose"],
    [[...DURABLE.settings, "--no-appendfsync-on-rewrite", "yes"], "durability process: a loss of"],
    [["--rename-command", "CONFIG", ""], "durability unknown: it does not tell"],
    [DURABLE.settings, null],
  ])("S6: says at its start what a Redis with %j may lose: %s", async (settings, said) => {
    const server = await startServer({ STORE_URL: (await redisOf({ settings })).url });
    await expect.poll(() => server.stdout(), { timeout: 20_000 }).toContain("limit=5");
    if (said === null) expect(server.stdout()).not.toContain("durability");
    else expect(server.stdout()).toContain(`\n  store    ${said}`);
  });

  it("W3, W27, W30: stays up while Redis is down, and is ready again when that is back", async () => {
    const redis = await redisOf(DURABLE);
    const start = (): Promise<void> => redis.start();
    const logged = await expectToOutlive(redis.url, { stop: () => redis.kill(), start });
    expectOneLoss(logged);
  });

  it("W30: is not ready while Redis says nothing", async () => {
    await expectToSaySo((await redisOf()).url);
  });
});

describe("the server on a Redis Cluster", () => {
  it("takes a run from its making to its deletion, over a restart", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.close());
    await expectWholeJourney(cluster.url, cluster.url);
  });

  it("W3, W27, W30: stays up while all of it is down, and is ready again when that is back", async () => {
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
