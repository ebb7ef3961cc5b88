import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { REDIS_PROGRAMS, startRedisCluster } from "@tm/run-events-test-servers";
import { Cluster } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { openRedisStore } from "./ruled-store.ts";
import { connect, dump, openProxy, openServer, openStore, owned } from "./opened.ts";
import { appendOf, createOf } from "@tm/run-events-test-servers/requests";

describe.each(REDIS_PROGRAMS)("a probe on %s", (program) => {
  it("S31: a probe resolves while an append could land, and leaves no run", async () => {
    const { redis, store } = await openStore(await openServer({ program }));
    await store.createRun(createOf("a"));
    const before = await redis.keys("*");
    for (const _ of [1, 2, 3]) await store.probe();
    const after = await redis.keys("*");
    expect(after.filter((key) => !before.includes(key))).toEqual(["run-events:{0}:probe"]);
  });

  it.each<[string, readonly string[], object]>([
    [
      "is full",
      ["maxmemory", "1"],
      { message: "Redis has reached its maxmemory: raise it, or purge runs.", retryable: false },
    ],
    [
      "has too few replicas",
      ["min-replicas-to-write", "1"],
      {
        message:
          "Redis has fewer replicas than its min-replicas-to-write: bring one back, or lower the setting.",
        retryable: true,
      },
    ],
    [
      "may now evict keys with an expiry",
      ["maxmemory-policy", "volatile-lru"],
      {
        message:
          "Expected maxmemory-policy noeviction, got volatile-lru, under which Redis may evict what the store needs: set it to noeviction.",
        retryable: false,
      },
    ],
  ])(
    "S31: a probe rejects while Redis %s, and changes nothing",
    async (_, [name, value], error) => {
      const { redis, store } = await openStore(await openServer({ program }));
      await store.createRun(createOf("a"));
      const before = await dump(redis);
      const [, was] = (await redis.config("GET", name ?? "")) as [string, string];
      await redis.config("SET", name ?? "", value ?? "");
      await expect(store.probe()).rejects.toMatchObject({
        code: "store_unavailable",
        ambiguous: false,
        ...error,
      });
      expect(await dump(redis)).toEqual(before);
      await redis.config("SET", name ?? "", was);
      await store.probe();
    },
  );

  it("S31: a probe rejects once Redis cannot save, as an append does", async () => {
    const server = await openServer({ program, settings: ["--save", "3600 1"] });
    const { redis, store } = await openStore(server);
    await store.createRun(createOf("a"));
    const [, folder = ""] = (await redis.config("GET", "dir")) as string[];
    // A file cannot replace a folder that is not empty.
    await mkdir(join(folder, "dump.rdb", "full"), { recursive: true });
    await redis.bgsave();
    await expect
      .poll(() => redis.info("persistence"), { timeout: 20_000 })
      .toContain("rdb_last_bgsave_status:err");
    const broken = {
      message: "Redis cannot write to its disk: check the disk and the server's log.",
      retryable: false,
    };
    await expect(store.append([appendOf("a", 1)])).rejects.toMatchObject(broken);
    await expect(store.probe()).rejects.toMatchObject(broken);
  });

  it("S6: the capabilities show what the last check found", async () => {
    const server = await openServer({ program, settings: ["--appendfsync", "always"] });
    const { redis, store } = await openStore(server);
    expect(store.capabilities.durability).toBe("power");
    await redis.config("SET", "appendfsync", "everysec");
    await store.probe();
    expect(store.capabilities.durability).toBe("memory");
  });

  it("S31: a probe waits while Redis does not answer", async () => {
    const server = await openServer({ program });
    const proxy = await openProxy(server);
    const { store } = await openStore(proxy);
    proxy.stall();
    let isSettled = false;
    const probed = store.probe().finally(() => (isSettled = true));
    // Another client gets many answers meanwhile.
    const other = connect(server);
    for (let round = 0; round < 50; round++) await other.ping();
    expect(isSettled).toBe(false);
    proxy.resume();
    await probed;
  });
});

describe("a probe in a cluster", () => {
  it("S31: a probe asks each master, and rejects if one could take no append", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.close());
    const store = await openRedisStore(owned(new Cluster([...cluster.nodes])));
    await store.probe();
    const nodes = cluster.nodes.map((node) => connect(node));
    for (const node of nodes)
      expect((await node.keys("run-events:{*}:probe")).length).toBeGreaterThan(0);
    for (const node of nodes) {
      await node.config("SET", "maxmemory", "1");
      await expect(store.probe()).rejects.toMatchObject({
        message: "Redis has reached its maxmemory: raise it, or purge runs.",
      });
      await node.config("SET", "maxmemory", "0");
      await store.probe();
    }
  });
});
