import { REDIS_PROGRAMS } from "@tm/run-events-test-servers";
import { describe, expect, it } from "vitest";
import { openRedisStore } from "./ruled-store.ts";
import { connect, dump, openServer, openStore, runKeys } from "./opened.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  endOf,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";

describe.each(REDIS_PROGRAMS)("on a %s with other settings", (program) => {
  it.each(["allkeys-lru", "allkeys-random", "volatile-lru", "volatile-ttl"])(
    "S6, S31: a server that may evict keys is refused, even if it evicts only those with an expiry: %s",
    async (policy) => {
      const server = await openServer({ program, settings: ["--maxmemory-policy", policy] });
      await expect(openRedisStore(connect(server))).rejects.toMatchObject({
        code: "store_unavailable",
        message: `Expected maxmemory-policy noeviction, got ${policy}, under which Redis may evict what the store needs: set it to noeviction.`,
        retryable: false,
      });
    },
  );

  it.each([
    [["--appendfsync", "always"], "power"],
    [["--appendfsync", "always", "--no-appendfsync-on-rewrite", "yes"], "process"],
    [["--appendfsync", "everysec"], "memory"],
    [["--appendfsync", "no"], "memory"],
    [["--appendonly", "no"], "memory"],
    [["--rename-command", "CONFIG", ""], "unknown"],
  ] as const)("S6: the durability with %j is %s", async (settings, durability) => {
    const { store } = await openStore(await openServer({ program, settings }));
    expect(store.capabilities).toMatchObject({ durability, shared: true });
  });

  it.each([
    ["no password", {}, "Redis requires a password: give the client one."],
    [
      "a wrong one",
      { password: "wrong" },
      "Redis refused the user name or the password: check those of the client.",
    ],
    ["an unknown user", { username: "unknown", password: "x" }, /refused the user name/],
  ] as const)("S20: a server with a password refuses %s", async (_, options, message) => {
    const server = await openServer({ program, settings: ["--requirepass", "secret"] });
    await expect(openRedisStore(connect(server, options))).rejects.toMatchObject({
      code: "store_unavailable",
      message: typeof message === "string" ? message : expect.stringMatching(message),
      retryable: false,
    });
  });
});

describe.each(REDIS_PROGRAMS)("on a %s without room", (program) => {
  it("S2: a full server refuses appends and changes nothing, replays landed ones, and takes appends again once it has room", async () => {
    const server = await openServer({ program });
    const { redis, store } = await openStore(server);
    await store.createRun(createOf("a"));
    await store.createRun(createOf("b"));
    const kept = appendOf("a", 1, { idempotencyKey: "kept" });
    await store.append([kept, appendOf("b", 1)]);
    await store.createRun(createOf("held"));
    const mine = { runId: "held", claimKey: "mine" };
    await store.claim({ ...mine, leaseMs: 60_000 });
    const before = await dump(redis);
    await redis.config("SET", "maxmemory", "1");
    const full = {
      code: "store_unavailable",
      message: "Redis has reached its maxmemory: raise it, or purge runs.",
      retryable: false,
      ambiguous: false,
    };
    const refused = [
      appendOf("a", 2, { idempotencyKey: "new" }),
      appendOf("a", 2, { events: [{ eventType: "PHASE_STARTED", payload: "{}", phase: '"x"' }] }),
    ];
    for (const request of refused) {
      await expect(store.append([request])).rejects.toMatchObject(full);
    }
    await expect(store.append([...refused, appendOf("b", 2)])).rejects.toMatchObject(full);
    await expect(store.append([endOf("a")])).rejects.toMatchObject(full);
    await expect(store.createRun(createOf("c"))).rejects.toMatchObject(full);
    expect(await store.createRun(createOf("a"))).toMatchObject({ outcome: "existing" });
    expect(await store.append([kept])).toMatchObject([{ outcome: "replayed", lastSequence: 1 }]);
    expect(await readValues(store, "a")).toEqual([1]);
    expect(await dump(redis)).toEqual(before);
    expect(await store.append([appendOf("held")])).toEqual([{ outcome: "fenced" }]);
    expect(await store.append([appendOf("nowhere")])).toEqual([{ outcome: "not_found" }]);
    const { fence = 0 } = (await store.getRun("held")) ?? {};
    const lease = { runId: "held", fence };
    expect(await store.claim({ ...mine, leaseMs: 1 })).toMatchObject({
      outcome: "granted",
      run: { fence },
    });
    for (const outcome of [
      await store.renew({ ...lease, leaseMs: 120_000 }),
      await store.renew({ ...lease, leaseMs: 60_000 }),
      await store.release(lease),
    ]) {
      expect(outcome).toMatchObject({ outcome: "granted" });
    }
    await redis.config("SET", "maxmemory", "0");
    expect(await store.append([...refused, endOf("a")])).toMatchObject([
      { outcome: "appended", lastSequence: 2 },
      { outcome: "appended", lastSequence: 3 },
      { outcome: "appended", lastSequence: 4 },
    ]);
  });

  it("S17: a purge frees room, although appends are refused", async () => {
    const { redis, store } = await openStore(await openServer({ program }));
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    await store.append([endOf("a")]);
    await redis.config("SET", "maxmemory", "1");
    await expect(store.append([appendOf("b")])).rejects.toMatchObject({
      code: "store_unavailable",
    });
    const due = await store.inner.list({ due: "finished", forMs: 0, limit: 10 });
    expect(due.map(({ runId }) => runId)).toEqual(["a"]);
    expect(await store.deleteRun("a")).toBe("deleted");
    expect(await redis.exists(...Object.values(runKeys("a")))).toBe(0);
  });
});

describe.each(REDIS_PROGRAMS)(
  "on a %s that is not a master, lacks replicas or cannot be reached",
  (program) => {
    it("S2, S10, S20: a replica refuses to write, and to answer with what it may lack", async () => {
      const server = await openServer({ program });
      const { redis, store } = await openStore(server);
      await store.createRun(createOf("a"));
      await store.append([appendOf("a", 1)]);
      const before = await dump(redis);
      await redis.call("REPLICAOF", "127.0.0.1", "1");
      const readOnly = {
        code: "store_unavailable",
        message: "The Redis is a read-only replica: connect to the master.",
        retryable: true,
        cause: expect.objectContaining({ message: expect.stringContaining("READONLY") }),
      };
      const inDoubt = { ...readOnly, ambiguous: true };
      await expect(store.append([appendOf("a", 2)])).rejects.toMatchObject(inDoubt);
      await expect(store.append([appendOf("a", 2), endOf("a")])).rejects.toMatchObject(inDoubt);
      await expect(claimed(store, claimOf("a"))).rejects.toMatchObject({
        ...readOnly,
        ambiguous: false,
      });
      const refused = { ...readOnly, ambiguous: false };
      // The call does not get further than what it sees.
      await expect(store.createRun(createOf("b"))).rejects.toMatchObject(refused);
      await expect(store.read([queryOf("a")])).rejects.toMatchObject(refused);
      await expect(store.probe()).rejects.toMatchObject(refused);
      expect(await dump(redis)).toEqual(before);
      await redis.call("REPLICAOF", "NO", "ONE");
      expect(await store.append([appendOf("a", 2)])).toMatchObject([{ lastSequence: 2 }]);
    });
  },
);
