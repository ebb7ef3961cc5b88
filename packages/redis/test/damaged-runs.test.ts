import type { Plain, RunName } from "@tm/run-events-core/store";
import { expect, it } from "vitest";
import { plainOf } from "../../core/src/rules/append-rule.ts";
import { dump, openServer, openStore, runKeys } from "./opened.ts";
import { appendOf, createOf, endOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import type { AppendRequest } from "../../core/src/rules/append.ts";

const { head: HEAD, events: EVENTS, receipts: RECEIPTS, metadata: METADATA } = runKeys("a");

async function openRun(): Promise<Awaited<ReturnType<typeof openStore>>> {
  const opened = await openStore(await openServer());
  await opened.store.createRun(createOf("a"));
  await opened.store.createRun(createOf("b"));
  await opened.store.append([
    ...oneTo(40).map((value) => appendOf("a", value, { idempotencyKey: `key-${value}` })),
    appendOf("b", 1),
  ]);
  return opened;
}
/** A read that the bridge does not make of several. */
function byAda(runId: string, more = {}) {
  return { since: 0, limit: 500, maxBytes: 1_000_000, ...more, ownerId: "ada", runId };
}

/** An append under a key, as core sends each. */
function keyedOf(runId: string, value: unknown, more = {}) {
  return appendOf(runId, value, { idempotencyKey: crypto.randomUUID(), ...more });
}

/** Appends in one call of the store. Core would send them again for a while, since it is in doubt whether they landed. */
function plainsOf(...requests: readonly (AppendRequest & RunName)[]): readonly Plain[] {
  return requests.flatMap((request) => plainOf(request) ?? []);
}

const damaged = {
  code: "store_unavailable",
  message:
    "The run is damaged: one of its keys is missing in Redis. Restore it, or delete the run's keys.",
  retryable: false,
};

it("S9: a log whose events are lost is an error, not a shorter log", async () => {
  const { redis, store } = await openRun();
  await redis.del(EVENTS);
  for (const since of [0, 5, 39]) {
    await expect(store.inner.read([byAda("a", { since })])).rejects.toMatchObject(damaged);
  }
  expect(await readValues(store, "b")).toEqual([1]);
});

it("S9: a log with a hole, a lost beginning or a lost end is an error, not a shorter log", async () => {
  const { redis, store } = await openRun();
  await redis.xdel(EVENTS, "20-0");
  expect(await store.inner.read([byAda("a", { limit: 19 })])).toMatchObject([
    { events: { length: 19 } },
  ]);
  for (const since of [0, 19]) {
    await expect(store.inner.read([byAda("a", { since })])).rejects.toMatchObject(damaged);
  }
  expect(await store.inner.read([byAda("a", { since: 21 })])).toMatchObject([
    { events: { length: 19 } },
  ]);
  await redis.xtrim(EVENTS, "MINID", "30-0");
  await expect(store.inner.read([byAda("a", { since: 25 })])).rejects.toMatchObject(damaged);
  await redis.xdel(EVENTS, "40-0");
  await expect(store.inner.read([byAda("a", { since: 35 })])).rejects.toMatchObject(damaged);
});

it("S1: an append to a run without its events is refused, starts no new log and leaves no receipt", async () => {
  const { redis, store } = await openRun();
  await redis.del(EVENTS);
  const before = await dump(redis);
  const requests = [
    [keyedOf("a", 41)],
    [keyedOf("a", 41), keyedOf("a", 42)],
    [appendOf("a", 40, { idempotencyKey: "key-40" })],
  ];
  for (const group of requests) {
    await expect(store.append(group)).rejects.toMatchObject({ ...damaged, ambiguous: false });
  }
  expect(await dump(redis)).toEqual(before);
  // An append in the same call fails with it, and its error is ambiguous.
  const both = plainsOf(keyedOf("b", 2), keyedOf("a", 41));
  await expect(store.inner.append(both)).rejects.toMatchObject({ ...damaged, ambiguous: true });
  expect(await readValues(store, "b")).toEqual([1, 2]);
});

it("S1, S7: a run whose receipts are lost takes no append, since a key could land a second time", async () => {
  const { redis, store } = await openRun();
  await redis.del(RECEIPTS);
  const before = await dump(redis);
  const again = appendOf("a", 40, { idempotencyKey: "key-40" });
  const phase = { eventType: "PHASE_STARTED", payload: "{}", phase: '"x"' };
  for (const group of [
    [again],
    [keyedOf("a", 41)],
    [again, keyedOf("a", 41)],
    [keyedOf("a", 41, { events: [phase] })],
    [endOf("a", { idempotencyKey: "end" })],
  ]) {
    await expect(store.append(group)).rejects.toMatchObject({ ...damaged, ambiguous: false });
  }
  expect(await dump(redis)).toEqual(before);
  // Another owner does not see it.
  const strange = appendOf("a", 41, { ownerId: "eve" });
  expect(await store.append([strange])).toEqual([{ outcome: "not_found" }]);
  expect(await store.append([strange, strange])).toMatchObject([
    { outcome: "not_found" },
    { outcome: "not_found" },
  ]);
  await store.append([keyedOf("b", 2)]);
  await redis.del(runKeys("b").receipts);
  await expect(store.append([keyedOf("b", 3)])).rejects.toMatchObject(damaged);
});

it("S16: an id that has lost only its head is not created again over the remaining events", async () => {
  const { redis, store } = await openRun();
  await redis.del(HEAD);
  expect(await store.getRun("a")).toBeNull();
  await expect(store.createRun(createOf("a"))).rejects.toMatchObject(damaged);
  expect(await redis.xlen(EVENTS)).toBe(40);
  await redis.del(EVENTS, RECEIPTS, METADATA);
  expect(await store.createRun(createOf("a"))).toMatchObject({ outcome: "created" });
});

it.each([HEAD, EVENTS, RECEIPTS])(
  "S2, S20: a key of another type fails its run alone: %s",
  async (key) => {
    const { redis, store } = await openRun();
    await redis.del(key);
    await redis.lpush(key, "mine");
    const before = await dump(redis);
    const foreign = {
      code: "store_unavailable",
      message:
        "One of the store's keys in Redis has another type: another program uses the prefix. Open the store under a different `prefix`.",
      retryable: false,
      ambiguous: false,
    };
    await expect(store.append([keyedOf("a", 41)])).rejects.toMatchObject(foreign);
    await expect(store.append([keyedOf("a", 41), keyedOf("a", 42)])).rejects.toMatchObject(foreign);
    if (key !== RECEIPTS) {
      await expect(store.inner.read([byAda("a")])).rejects.toMatchObject({ code: foreign.code });
    }
    expect(await dump(redis)).toEqual(before);
    const both = plainsOf(keyedOf("a", 41), keyedOf("b", 2));
    await expect(store.inner.append(both)).rejects.toMatchObject({ ambiguous: true });
    expect(await readValues(store, "b")).toEqual([1, 2]);
  },
);
