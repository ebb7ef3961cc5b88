import { createOf, endOf, oneTo } from "@tm/run-events-test-servers/requests";
import type { CreateOutcome, CreateRunRequest } from "@tm/run-events-core/store";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { expect, it } from "vitest";
import { openRedisStore, type RedisStore } from "../src/index.ts";
import { interleave } from "./interleaved.ts";
import { describeLayouts } from "./each-layout.ts";

const TOPIC = "tea";
const PLACE_KEY = "{owner:ada}:topic=tea:place";
/** More than a creation has steps before and after its commands. */
const MOST_STEPS = 24;
const LIVE = { ownerId: "ada", runStatus: "live", topic: TOPIC, before: null, limit: 9 } as const;

function exclusiveOf(runId: string, part: Partial<CreateRunRequest> = {}): CreateRunRequest {
  return { ...createOf(runId), ownerId: "ada", topic: TOPIC, exclusive: true, ...part };
}

/** A store whose process stops at a step: before a command is sent, or before its answer comes. */
interface StoppedStore {
  readonly store: RedisStore;
  /** Resolves when the process has stopped. */
  readonly stopped: Promise<void>;
  goOn(): void;
}

async function openStopped(
  redis: Redis,
  asCluster: boolean,
  prefix: string,
  step: number,
): Promise<StoppedStore> {
  const stopped = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let steps = 0;
  const schedule = async (task: Promise<unknown>): Promise<unknown> => {
    steps += 1;
    if (steps > step) {
      stopped.resolve();
      await gate.promise;
    }
    return task;
  };
  const scheduler = { schedule } as unknown as fc.Scheduler;
  const { client, begin } = interleave(redis, scheduler, { lastCommand: Infinity, asCluster });
  const store = await openRedisStore(client, { prefix });
  begin();
  return { store, stopped: stopped.promise, goOn: gate.resolve };
}

describeLayouts("the place of a topic", (asCluster, redis) => {
  /** Makes the place, if it is held, as old as one that a dead process has left. */
  async function makeOld(prefix: string): Promise<void> {
    const place = await redis().get(`${prefix}:${PLACE_KEY}`);
    if (place !== null) await redis().set(`${prefix}:${PLACE_KEY}`, place.replace(/^\d+/, "1"));
  }

  async function liveIds(store: RedisStore): Promise<readonly string[]> {
    return (await store.listRuns(LIVE)).map(({ runId }) => runId);
  }

  it.each(oneTo(MOST_STEPS))(
    "S25: a creation that stops at step %i and goes on late makes no second run of the topic, and a dead one does not block it",
    async (step) => {
      for (const claim of [null, { leaseMs: 3_600_000 }]) {
        const prefix = crypto.randomUUID();
        const other = await openRedisStore(redis(), { prefix });
        const late = await openStopped(redis(), asCluster, prefix, step);
        const first: Promise<CreateOutcome> = late.store.createRun(exclusiveOf("a", { claim }));
        await Promise.race([late.stopped, first]);
        await makeOld(prefix);
        const second = await other.createRun(exclusiveOf("b"));
        const winner = second.outcome === "created" ? "b" : "a";
        if (winner === "a") expect(second).toEqual({ outcome: "topic_busy", runId: "a" });
        // The other has its answer while the first stands still, as if it were dead.
        expect(await liveIds(other)).toEqual([winner]);
        late.goOn();
        const outcome = await first;
        if (winner === "a") expect(outcome).toMatchObject({ outcome: "created" });
        else expect(outcome).toEqual({ outcome: "topic_busy", runId: "b" });
        expect(await liveIds(other)).toEqual([winner]);
        await other.append([endOf(winner, { appender: { by: "owner" } })]);
        expect(await other.createRun(exclusiveOf("c"))).toMatchObject({ outcome: "created" });
      }
    },
  );

  it.each(oneTo(MOST_STEPS))(
    "S23, S26: a creation with a claim that stops at step %i leaves no lease without an entry in the index",
    async (step) => {
      const prefix = crypto.randomUUID();
      const other = await openRedisStore(redis(), { prefix });
      const late = await openStopped(redis(), asCluster, prefix, step);
      const started = late.store.createRun(exclusiveOf("a", { claim: { leaseMs: 1 } }));
      await Promise.race([late.stopped, started]);
      // A check of the index may find the entry before its run exists.
      for (const _ of oneTo(2)) await other.listExpired({ graceMs: 0, limit: 9 });
      late.goOn();
      expect(await started).toMatchObject({ outcome: "created" });
      await expect.poll(() => other.listExpired({ graceMs: 0, limit: 9 })).toEqual(["a"]);
    },
  );

  it("S25: of processes whose commands come in any order, one creates its run, and the others name it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (scheduler, count) => {
        const prefix = crypto.randomUUID();
        const ids = oneTo(count).map((number) => `run-${number}`);
        const creations = await Promise.all(
          ids.map(async (runId) => {
            const options = { lastCommand: Infinity, asCluster };
            const { client, begin } = interleave(redis(), scheduler, options);
            const store = await openRedisStore(client, { prefix });
            begin();
            return () => store.createRun(exclusiveOf(runId));
          }),
        );
        const outcomes = await scheduler.waitFor(Promise.all(creations.map((one) => one())));
        const won = outcomes.flatMap((one) => ("run" in one ? [one.run.runId] : []));
        expect(won).toHaveLength(1);
        const [runId = ""] = won;
        const busy = { outcome: "topic_busy", runId };
        expect(outcomes.filter((one) => !("run" in one))).toEqual(
          Array.from({ length: count - 1 }, () => busy),
        );
      }),
      { numRuns: 100 },
    );
  });

  it("S17, S25: a deleted run leaves no place, and a voided one cannot be created for a day", async () => {
    const prefix = crypto.randomUUID();
    const store = await openRedisStore(redis(), { prefix });
    await store.createRun(exclusiveOf("a"));
    expect(await redis().get(`${prefix}:${PLACE_KEY}`)).toMatch(/^\d+ \d+:a$/);
    await store.append([endOf("a")]);
    await store.deleteRun("a", null);
    await expect.poll(() => redis().get(`${prefix}:${PLACE_KEY}`)).toBeNull();
    await redis().set(`${prefix}:${PLACE_KEY}`, "1 7:gone");
    expect(await store.createRun(exclusiveOf("b"))).toMatchObject({ outcome: "created" });
    const seconds = await redis().ttl(`${prefix}:{run:gone}:void:7`);
    expect(seconds).toBeGreaterThan(86_000);
    expect(seconds).toBeLessThanOrEqual(86_400);
  });
});
