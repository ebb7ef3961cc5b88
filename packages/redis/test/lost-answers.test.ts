import type { Redis } from "ioredis";
import { expect, it } from "vitest";
import { claimRule } from "../../core/src/rules/lease-rules.ts";
import { createRule } from "../../core/src/rules/run-rules.ts";
import { openRedisStore as openNext } from "../src/index.ts";
import { COMMIT, COMMIT_SMALL } from "../src/scripts/commit.ts";
import { openRedisStore } from "./ruled-store.ts";
import { connect, openServer, openStore } from "./opened.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  endOf,
  listIds,
  oneTo,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { landOnce } from "../../core/src/rules/land-once.ts";

/** A client that loses the first answer to each commit that changes runs by their rules. */
function losing(redis: Redis, lose: (send: () => Promise<unknown>) => Promise<unknown>): Redis {
  return Object.assign(Object.create(redis) as Redis, {
    async evalsha(sha1: string, count: number, values: string[]) {
      const send = (): Promise<unknown> => redis.evalsha(sha1, count, values);
      return [COMMIT, COMMIT_SMALL].some((one) => one.sha1 === sha1) ? lose(send) : send();
    },
  });
}

it.each([
  ["at once", false],
  ["after another process has written to the run", true],
])(
  "S7, S21: a commit that the client sends again %s is known again, and its answer is the first one's",
  async (_, isMet) => {
    const redis = connect(await openServer());
    const store = await openRedisStore(redis);
    // So that the server knows the scripts.
    await store.createRun(createOf("other"));
    await claimed(store, claimOf("other"));
    const twice = await openRedisStore(
      losing(redis, async (send) => {
        await send();
        if (isMet) await store.append([appendOf("a", "met", { appender: { by: "input" } })]);
        return send();
      }),
    );
    expect(await twice.createRun(createOf("a"))).toMatchObject({ outcome: "created" });
    const { fence } = await claimed(twice, claimOf("a"));
    expect(await store.getRun("a")).toMatchObject({ fence });
    expect(await twice.release({ runId: "a", fence })).toMatchObject({ outcome: "granted" });
    const owners = { appender: { by: "owner" } } as const;
    expect(await twice.append([appendOf("a", 1, owners)])).toMatchObject([{ outcome: "appended" }]);
    expect(await twice.append([endOf("a")])).toMatchObject([{ outcome: "appended" }]);
    const values = await readValues(store, "a");
    expect(values.filter((value) => value !== "met")).toEqual([1, null]);
    expect(values).toHaveLength(isMet ? 6 : 2);
    // Nothing is left that could know a removal again.
    expect(await twice.deleteRun("a")).toBe("not_found");
    expect(await store.getRun("a")).toBeNull();
  },
);

it("S7: a claim whose answer is lost is in doubt; one that was not sent is not", async () => {
  const server = await openServer();
  const { redis, store } = await openStore(server, {}, { maxRetriesPerRequest: 0 });
  for (const runId of ["a", "other"]) await store.createRun(createOf(runId));
  await claimed(store, claimOf("other"));
  const lost = await openNext(
    losing(redis, async (send) => {
      await send();
      throw new Error("Connection is closed.");
    }),
  );
  const claim = { ...claimOf("a"), ownerId: "ada" };
  const change = { ownerId: "ada", runId: "a", decide: landOnce(claimRule(claim), () => "mine") };
  const inDoubt = { code: "store_unavailable", retryable: true, ambiguous: true };
  await expect(lost.change([change])).rejects.toMatchObject(inDoubt);
  // It has landed, and is known again.
  expect(await lost.change([change])).toMatchObject([{ outcome: "granted" }]);
  await server.kill();
  const unsent = { ...inDoubt, ambiguous: false };
  await expect(store.inner.change([change])).rejects.toMatchObject(unsent);
  await expect(store.listDue({ due: "leased", forMs: 0, limit: 1 })).rejects.toMatchObject(unsent);
});

it("S7: an append that cannot reach Redis is ambiguous and may be tried again", async () => {
  const server = await openServer();
  const { store } = await openStore(server, {}, { maxRetriesPerRequest: 0 });
  await store.createRun(createOf("a"));
  await server.kill();
  await expect(store.append([appendOf("a")])).rejects.toMatchObject({
    code: "store_unavailable",
    message: "Redis cannot be reached: check that it runs, and the address of the client.",
    retryable: true,
    ambiguous: true,
    cause: expect.any(Error),
  });
  await expect(store.read([queryOf("a")])).rejects.toMatchObject({
    code: "store_unavailable",
    retryable: true,
    ambiguous: false,
  });
});

it("S20: a store whose client was closed stays unavailable", async () => {
  const server = await openServer();
  const { redis, store } = await openStore(server);
  await store.createRun(createOf("a"));
  await redis.quit();
  const closed = {
    code: "store_unavailable",
    message: "The Redis client is closed. Open a store on a new one.",
    retryable: false,
    ambiguous: false,
  };
  await expect.poll(() => redis.status).toBe("end");
  await expect(store.append([appendOf("a")])).rejects.toMatchObject(closed);
  await expect(store.subscribe("a", () => {}).ready).rejects.toMatchObject(closed);
});

it("S2: a server that has forgotten the scripts gets them again, and the order stays", async () => {
  const server = await openServer();
  const { store } = await openStore(server);
  const { redis, store: other } = await openStore(server);
  await redis.script("FLUSH");
  await store.createRun(createOf("a"));
  let value = 0;
  for (const _ of oneTo(50)) {
    const flushed = redis.script("FLUSH");
    const values = oneTo(4).map(() => ++value);
    await Promise.all([
      flushed,
      store.append(values.map((one) => appendOf("a", one))),
      // Loads the script again between the others' attempts.
      other.append([appendOf("nowhere")]),
      other.read([queryOf("a")]),
    ]);
  }
  await redis.script("FLUSH");
  expect(await readValues(store, "a")).toEqual(oneTo(value));
  await redis.script("FLUSH");
  expect(await listIds(store)).toEqual(["a"]);
  await store.append([endOf("a")]);
  await redis.script("FLUSH");
  expect(await store.deleteRun("a")).toBe("deleted");
});

it("S24: what was decided by a clock that is older than 5 s is decided again", async () => {
  const redis = connect(await openServer());
  const ages = [5_001, 0];
  const late = Object.assign(Object.create(redis) as Redis, {
    evalsha(sha1: string, count: number, values: string[]) {
      // Behind the keys and the command that notifies: the head, its version, the clock.
      const at = count + 3;
      const sent = sha1 === COMMIT.sha1 ? Number(values[at]) - (ages.shift() ?? 0) : null;
      return redis.evalsha(sha1, count, sent === null ? values : values.with(at, String(sent)));
    },
  });
  const store = await openNext(late);
  // So that the server knows the scripts.
  await (await openRedisStore(redis)).createRun(createOf("other"));
  const decide = landOnce(createRule(createOf("a")), () => "mine");
  const clocks: number[] = [];
  const change = {
    ownerId: "ada",
    runId: "a",
    decide: (seen: Parameters<typeof decide>[0]) => {
      clocks.push(seen.nowMs);
      return decide(seen);
    },
  };
  expect(await store.change([change])).toMatchObject([{ outcome: "created" }]);
  expect(clocks).toHaveLength(2);
});
