import { createOf } from "@tm/run-events-test-servers/requests";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { appendRequest, event } from "../../conformance/src/append-request.ts";
import { ChangedReader } from "../../conformance/src/changed-reader.ts";
import { openRedisStore, type RedisStore } from "../src/index.ts";
import { live } from "./deeds.ts";
import { interleave } from "./interleaved.ts";
import { openServer, openStore } from "./opened.ts";
import { describeLayouts } from "./each-layout.ts";

const RUN_IDS = ["a", "b"];
const TOPICS = [null, "tea"] as const;

/** An action on a run, of a list, or of a reader. */
interface Watched {
  readonly do: "ask" | "answer" | "end as owner" | "create" | "delete" | "watch" | "list";
  readonly runId: string;
}

const deed: fc.Arbitrary<Watched> = fc.record({
  do: fc.constantFrom<Watched["do"][]>(
    "ask",
    "answer",
    "end as owner",
    "end as owner",
    "create",
    "delete",
    "delete",
    "watch",
    "watch",
    "list",
  ),
  runId: fc.constantFrom(...RUN_IDS),
});

/** The actions of one process, the topic that it reads, and the last command before it dies. */
const process = fc.record({
  deeds: fc.array(deed, { minLength: 1, maxLength: 6 }),
  topic: fc.constantFrom(...TOPICS),
  lastCommand: fc.oneof(fc.constant(Infinity), fc.nat(14)),
});

/** Performs the actions of a process, one after the other, until it dies. */
async function liveOn(
  store: RedisStore,
  deeds: readonly Watched[],
  reader: ChangedReader,
): Promise<void> {
  const list = { ownerId: "ada", runStatus: null, before: null, limit: 10 } as const;
  for (const one of deeds) {
    try {
      if (one.do === "watch") await reader.ask(store, 1);
      else if (one.do === "list") await store.listRuns(list);
      else if (one.do === "ask") await append(store, one.runId, "INPUT_REQUESTED");
      else if (one.do === "answer") await append(store, one.runId, "INPUT_RECEIVED");
      else await live(store, [{ ...one, do: one.do }], []);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("Redis cannot be reached:"))
        throw error;
    }
  }
}

/** A run comes to `running` and to `waiting` again and again, and has another entry in their lists each time. */
async function append(store: RedisStore, runId: string, eventType: string): Promise<void> {
  await store.append([appendRequest(runId, [event(eventType)], { appender: { by: "owner" } })]);
}

/** Expects that the reader has the last state of every run of its topic, and no other. */
async function expectAll(
  store: RedisStore,
  reader: ChangedReader,
  topic: string | null,
): Promise<void> {
  await reader.askAll(store, 1);
  const found = await Promise.all(RUN_IDS.map((runId) => store.getRun(runId)));
  const runs = found.filter((run) => run !== null && (topic === null || run.topic === topic));
  const known = [...reader.runs.values()].toSorted((a, b) => a.runId.localeCompare(b.runId));
  expect(known).toEqual(runs);
}

describeLayouts("departures", (asCluster, redis) => {
  it("S29: a reader has the last state of every run, wherever processes die between two commands", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(process, { minLength: 2, maxLength: 4 }),
        async (scheduler, processes) => {
          const prefix = crypto.randomUUID();
          const founder = await openRedisStore(redis(), { prefix });
          for (const [at, runId] of RUN_IDS.entries()) {
            await founder.createRun({ ...createOf(runId), topic: TOPICS[at] ?? null });
          }
          const lives = await Promise.all(
            processes.map(async ({ deeds, topic, lastCommand }) => {
              const { client, begin } = interleave(redis(), scheduler, { lastCommand, asCluster });
              const store = await openRedisStore(client, { prefix });
              const reader = new ChangedReader(topic);
              await reader.ask(founder);
              begin();
              return { topic, reader, run: () => liveOn(store, deeds, reader) };
            }),
          );
          await scheduler.waitFor(Promise.all(lives.map(({ run }) => run())));
          for (const { reader, topic } of lives) await expectAll(founder, reader, topic);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the departures of an owner", () => {
  it("S29: they have ascending scores even while the clock is behind", async () => {
    const { redis, store } = await openStore(await openServer());
    const key = "run-events:{owner:ada}:departed";
    const future = (Date.now() + 3_600_000) * 1_000;
    await redis.zadd(key, 0, "name:0", future, "1:earlier");
    for (const runId of RUN_IDS) {
      await store.createRun(createOf(runId));
      await live(store, [{ do: "end as owner", runId }], []);
    }
    await expect.poll(() => redis.zcard(key)).toBe(4);
    const scores = (await redis.zrange(key, "0", "-1", "WITHSCORES")).filter(
      (_, at) => at % 2 === 1,
    );
    expect(scores.map(Number)).toEqual([0, future, future + 1, future + 2]);
  });

  it("S29: departures of more than two hours ago are removed as others come, but never the name of the set or the newest old one, which a good cursor may have", async () => {
    const { redis, store } = await openStore(await openServer());
    const key = "run-events:{owner:ada}:departed";
    const old = (Date.now() - 2 * 3_600_000 - 60_000) * 1_000;
    await redis.zadd(
      key,
      0,
      "name:0",
      old - 1,
      "1:old",
      old,
      "2:old",
      old + 120_000_000,
      "3:young",
    );
    await store.createRun(createOf("a"));
    await live(store, [{ do: "end as owner", runId: "a" }], []);
    await expect
      .poll(() => redis.zrange(key, "0", "-1"))
      .toEqual(["name:0", "2:old", "3:young", expect.stringMatching(/:a$/)]);
    expect(await redis.pttl(key)).toBeGreaterThan(23 * 3_600_000);
  });

  it("S29: a reader that had no departure starts over if the first ones were removed, also if the clock was set back since", async () => {
    const { redis, store } = await openStore(await openServer());
    const key = "run-events:{owner:ada}:departed";
    const ask = (since: string | null) => store.listChanged({ ownerId: "ada", since, limit: 9 });
    const end = async (runId: string): Promise<void> => {
      await store.createRun(createOf(runId));
      await live(store, [{ do: "end as owner", runId }], []);
    };
    const { cursor } = await ask(null);
    await end("a");
    await expect.poll(() => redis.zcard(key)).toBe(2);
    expect(await ask(cursor)).toMatchObject({ isReset: false, runs: [{ runId: "a" }] });
    const [departed = ""] = await redis.zrange(key, "1", "1");
    const old = (Date.now() - 3 * 3_600_000) * 1_000;
    await redis.zadd(key, old, departed, old + 1, "2:b");
    await end("c");
    await expect.poll(() => redis.zrange(key, "1", "1")).toEqual(["2:b"]);
    expect(await ask(cursor)).toMatchObject({ isReset: true });
  });

  it("S29: a reader starts over if its departure was lost, even if later ones have other scores", async () => {
    const { redis, store } = await openStore(await openServer());
    const key = "run-events:{owner:ada}:departed";
    const end = async (runId: string): Promise<void> => {
      await store.createRun(createOf(runId));
      await live(store, [{ do: "end as owner", runId }], []);
    };
    await end("a");
    await expect.poll(() => redis.zcard(key)).toBe(2);
    const early = await store.listChanged({ ownerId: "ada", since: null, limit: 9 });
    await end("b");
    await expect.poll(() => redis.zcard(key)).toBe(3);
    const late = await store.listChanged({ ownerId: "ada", since: null, limit: 9 });
    const [lost = ""] = await redis.zrange(key, "-1", "-1");
    await redis.zrem(key, lost);
    await end("c");
    await expect.poll(() => redis.zcard(key)).toBe(3);
    const ask = (since: string) => store.listChanged({ ownerId: "ada", since, limit: 9 });
    expect(await ask(early.cursor)).toMatchObject({ isReset: false, runs: [{ runId: "c" }] });
    expect(await ask(late.cursor)).toMatchObject({ isReset: true, runs: [] });
  });

  it("S29: a run that is being removed and stays is not gone, and one that was removed is", async () => {
    const { redis, store } = await openStore(await openServer());
    await store.createRun(createOf("a"));
    const reader = new ChangedReader();
    await reader.ask(store);
    await live(store, [{ do: "end as owner", runId: "a" }], []);
    const { ordinal = 0 } = (await store.getRun("a")) ?? {};
    // A process died before it removed the run, and later one after that.
    await redis.zadd("run-events:{owner:ada}:removing", ordinal, `${ordinal}:a`);
    expect(await reader.askAll(store)).toEqual({ runs: ["a"], gone: [] });
    await redis.del("run-events:{run:a}:head");
    expect(await reader.askAll(store)).toEqual({ runs: [], gone: ["a"] });
    await expect.poll(() => redis.exists("run-events:{owner:ada}:removing")).toBe(0);
  });
});
