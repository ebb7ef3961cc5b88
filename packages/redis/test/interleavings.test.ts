import type { Head, RunName, RunEventStore } from "@tm/run-events-core/store";
import { dueKindOf } from "@tm/run-events-core/store";
import { STATUSES } from "@tm/run-events-core/wire";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { expect, it } from "vitest";
import { openRedisStore } from "../src/index.ts";
import { keysOf } from "../src/keys.ts";
import { type Deed, live } from "./deeds.ts";
import { describeLayouts } from "./each-layout.ts";
import { interleave } from "./interleaved.ts";

const RUN_IDS = ["a", "b"];
const HOUR_MS = 3_600_000;
const runId = fc.constantFrom(...RUN_IDS);

const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({
    do: fc.constantFrom<("claim" | "renew")[]>("claim", "renew"),
    runId,
    leaseMs: fc.constantFrom(1, HOUR_MS, 2 * HOUR_MS),
  }),
  fc.record({
    do: fc.constantFrom<Exclude<Deed["do"], "claim" | "renew">[]>(
      "create",
      "create exclusively",
      "release",
      "write",
      "end",
      "write as owner",
      "end as owner",
      "delete",
      "reap",
    ),
    runId,
  }),
);

/** A process: its actions, and the last command before it dies. */
const processOf = fc.record({
  deeds: fc.array(deed, { minLength: 1, maxLength: 6 }),
  lastCommand: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(12)),
});

/** Everything that the sets of the store have, and what they should have by the heads. */
async function compareSets(redis: Redis, store: RunEventStore, prefix: string) {
  const keys = keysOf(prefix, "");
  const bucket = keys.bucketOf("ada");
  const heads = await readAll(
    store,
    RUN_IDS.map((id) => ({ ownerId: "ada", runId: id })),
  );
  const found = new Map<string, readonly string[]>();
  for (const key of await redis.keys(`${prefix}:*`)) {
    if ((await redis.type(key)) === "zset")
      found.set(key, await redis.zrange(key, "0", "-1", "WITHSCORES"));
  }
  const expected = new Map<string, string[]>();
  const add = (key: string, member: string, score: number) =>
    expected.set(key, [...(expected.get(key) ?? []), member, String(score)]);
  for (const head of heads.toSorted((a, b) => a.ordinal - b.ordinal)) {
    for (const topic of new Set([null, head.topic])) {
      for (const key of keys.lists("ada", topic, head.runStatus))
        add(key, head.runId, head.ordinal);
    }
  }
  for (const head of heads.toSorted((a, b) => a.dueMs - b.dueMs || (a.runId < b.runId ? -1 : 1))) {
    add(keys.due(bucket, dueKindOf(head)), `${head.runId} ada`, head.dueMs);
  }
  return { heads, found, expected };
}

async function readAll(store: RunEventStore, names: readonly RunName[]): Promise<readonly Head[]> {
  const results = await store.read(
    names.map((name) => ({ ...name, since: 0, limit: 1_000, maxBytes: 1e9 })),
  );
  return results.flatMap((result) => {
    if (result === null) return [];
    const { head, events } = result;
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, at) => at + 1));
    expect(events).toHaveLength(head.lastSequence);
    return [head];
  });
}

describeLayouts("commands of many processes in any order", (asCluster, redis) => {
  it("S1, S2, S21, S23: lists, topics and due times are those of the heads, wherever processes die between two commands", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(processOf, { minLength: 2, maxLength: 4 }),
        async (scheduler, processes) => {
          const prefix = crypto.randomUUID();
          const store = await openRedisStore(redis(), { prefix });
          const granted: string[] = [];
          const lives = await Promise.all(
            processes.map(async ({ deeds, lastCommand }) => {
              const { client, begin } = interleave(redis(), scheduler, { lastCommand, asCluster });
              const its = await openRedisStore(client, { prefix });
              begin();
              return () => live(its, deeds, granted);
            }),
          );
          await scheduler.waitFor(Promise.all(lives.map((one) => one())));
          expect(new Set(granted).size).toBe(granted.length);
          const { heads, found, expected } = await compareSets(redis(), store, prefix);
          expect(found).toEqual(expected);
          expect(
            heads.filter(({ exclusive, runStatus }) => exclusive && LIVE.has(runStatus)).length,
          ).toBeLessThan(2);
        },
      ),
      { numRuns: 300 },
    );
  });
});

const LIVE: ReadonlySet<string> = new Set(STATUSES.slice(0, 3));
