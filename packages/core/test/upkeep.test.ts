import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { ADA } from "./adas-runs.ts";
import { idsOf } from "./ids-of.ts";

/** Ends expired runs at the first check. */
const AT_ONCE = { graceMs: 0, confirmMs: 0 };
const END = { eventType: "RUN_COMPLETED" };
const TOKEN = { eventType: "TOKEN" };

let now = 1_000_000;
let store: RunEventStore;
let log: RunLog;

beforeEach(() => {
  store = createMemoryStore({ now: () => now });
  log = createRunLog({ store });
});

async function create(...runIds: readonly string[]): Promise<void> {
  for (const runId of runIds) await log.createRun({ runId, ownerId: "ada" });
}

/** Creates runs and claims them. @returns the fence of each by its id */
async function claim(...runIds: readonly string[]): Promise<(runId: string) => number> {
  await create(...runIds);
  const fences = new Map<string, number>();
  for (const runId of runIds) {
    fences.set(runId, (await log.claim(runId, { ...ADA, leaseMs: 1_000 })).fence);
  }
  return (runId) => fences.get(runId) ?? Number.NaN;
}

describe("reap", () => {
  it("W33: a run whose lease expired more than the grace ago fails with the reason", async () => {
    const fenceOf = await claim("r");
    now += 1_000 + 59_999;
    expect(idsOf(await log.reap({ confirmMs: 0 }))).toStrictEqual([]);
    now += 1;
    expect(idsOf(await log.reap({ confirmMs: 0 }))).toStrictEqual(["r"]);
    const { events, run } = await log.readPage("r", ADA);
    expect(events).toMatchObject([
      { eventType: "RUN_FAILED", payload: '{"reason":"lease_expired"}' },
    ]);
    expect(run).toMatchObject({ runStatus: "failed", leaseExpiresAtMs: null });
    expect(run.fence).toBe(fenceOf("r") + 1);
    expect(idsOf(await log.reap({ confirmMs: 0 }))).toStrictEqual([]);
  });

  it("W33, W13: reap and cancel end a run even under the smallest payload limit", async () => {
    await claim("r", "cancelled");
    const small = createRunLog({ store, maxPayloadBytes: 1 });
    expect(await small.cancel("cancelled", ADA)).toMatchObject({ runStatus: "cancelled" });
    now += 1_000;
    expect(idsOf(await small.reap({ ...AT_ONCE }))).toStrictEqual(["r"]);
  });

  it("W33: of many reapers one ends each run", async () => {
    const runIds = Array.from({ length: 20 }, (_, at) => `r${at}`);
    await claim(...runIds);
    now += 1_000;
    const logs = [log, createRunLog({ store }), createRunLog({ store })];
    const ended = await Promise.all(logs.map((one) => one.reap({ ...AT_ONCE })));
    expect(idsOf(ended.flat()).toSorted()).toStrictEqual(runIds.toSorted());
    for (const runId of runIds) expect((await log.readPage(runId, ADA)).lastSequence).toBe(1);
  });

  it("W33: a run that a worker comes back to between the list and the end continues", async () => {
    const fenceOf = await claim("renewed", "claimed", "ended", "gone", "left");
    now += 1_000;
    let lists = 0;
    const late = createRunLog({
      store: {
        ...store,
        async list(query) {
          const expired = await store.list(query);
          lists += 1;
          if (lists > 1) return expired;
          await log.renew("renewed", fenceOf("renewed"), { ...ADA, leaseMs: 1_000 });
          await log.claim("claimed", { ...ADA, leaseMs: 1_000 });
          await log.append("ended", [END], { ...ADA, fence: fenceOf("ended") });
          await log.cancel("gone", ADA);
          await log.deleteRun("gone", ADA);
          return expired;
        },
      },
    });
    expect(idsOf(await late.reap({ ...AT_ONCE }))).toStrictEqual(["left"]);
    for (const runId of ["renewed", "claimed"])
      expect(await log.getRun(runId, ADA)).toMatchObject({ runStatus: "queued" });
    expect(await log.getRun("ended", ADA)).toMatchObject({ runStatus: "completed" });
  });

  it("W33: live runs, of which the index has the first end of their lease, hide no dead one behind them", async () => {
    const live = Array.from({ length: 250 }, (_, at) => `live-${at}`);
    const fenceOf = await claim(...live);
    for (const runId of live) await log.append(runId, [TOKEN], { ...ADA, fence: fenceOf(runId) });
    now += 999;
    for (const runId of live) await log.renew(runId, fenceOf(runId), { ...ADA, leaseMs: 60_000 });
    now += 1;
    await claim("dead");
    now += 1_000;
    expect(idsOf(await log.reap({ ...AT_ONCE, limit: 1 }))).toStrictEqual(["dead"]);
    const early = await store.list({ due: "leased", forMs: 0, limit: 1_000 });
    expect(early).toStrictEqual([]);
  });

  it("S20: a run that cannot be ended does not stop others; if none ends, reap rejects with the reason", async () => {
    await claim("a", "b");
    now += 1_000;
    const broken = (isBroken: (runId: string) => boolean): RunLog =>
      createRunLog({
        store: {
          ...store,
          async change(changes) {
            if (changes.some(({ runId }) => isBroken(runId)))
              throw new RunEventsError("store_unavailable", "The store is away.");
            return store.change(changes);
          },
        },
      });
    expect(idsOf(await broken((runId) => runId === "a").reap({ ...AT_ONCE }))).toStrictEqual(["b"]);
    await expect(broken(() => true).reap({ ...AT_ONCE })).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(idsOf(await log.reap({ ...AT_ONCE }))).toStrictEqual(["a"]);
  });

  it("S20, W33: runs that can never be ended do not stop those after them, and are tried again", async () => {
    await claim("a", "b");
    now += 1;
    await claim("c", "d");
    now += 1_000;
    const isBroken = new Set(["a", "b"]);
    const reaper = createRunLog({
      store: {
        ...store,
        async change(changes) {
          if (changes.some(({ runId }) => isBroken.has(runId)))
            throw new RunEventsError("store_unavailable", "The store is away.");
          return store.change(changes);
        },
      },
    });
    const reap = async (): Promise<readonly string[] | null> =>
      reaper.reap({ ...AT_ONCE, limit: 2 }).then(idsOf, () => null);
    expect([await reap(), (await reap())?.toSorted(), await reap()]).toStrictEqual([
      null,
      ["c", "d"],
      null,
    ]);
    isBroken.delete("a");
    expect(await reap()).toStrictEqual(["a"]);
  });

  it.each([
    { graceMs: -1 },
    { graceMs: 0.5 },
    { limit: 0 },
    { limit: Number.NaN },
    { confirmMs: -1 },
    { queuedForMs: -1 },
    { idleForMs: 0.5 },
    { waitingForMs: Number.NaN },
  ])("reap refuses %j", async (options) => {
    await expect(log.reap(options)).rejects.toMatchObject({ code: "invalid_request" });
  });
});

describe("purge", () => {
  it("S17: purge, called until it returns none, yields to everything else before each batch", async () => {
    await create("a", "b", "c");
    for (const runId of ["a", "b", "c"]) await log.append(runId, [END], ADA);
    const order: string[] = [];
    for (let isLeft = true; isLeft;) {
      setImmediate(() => order.push("others"));
      isLeft = (await log.purge({ finishedForMs: 0, limit: 1 })).length > 0;
      order.push(isLeft ? "a batch" : "none");
    }
    const both = ["others", "a batch"];
    expect(order).toEqual([...both, ...both, ...both, "others", "none"]);
  });

  it("S17: purge, called until it returns none, keeps live and young runs whole", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.nat({ max: 20 })), { maxLength: 12 }),
        fc.nat({ max: 20 }),
        fc.integer({ min: 1, max: 5 }),
        async (ages, age, limit) => {
          const from = 5_000_000;
          store = createMemoryStore({ now: () => now });
          log = createRunLog({ store });
          now = from;
          const runs = ages.map((endsAt, at) => ({ runId: `r${at}`, endsAt }));
          await create(...runs.map(({ runId }) => runId));
          const inTime = runs.toSorted((a, b) => (a.endsAt ?? 0) - (b.endsAt ?? 0));
          for (const { runId, endsAt } of inTime) {
            now = from + (endsAt ?? 0);
            await log.append(runId, [endsAt === null ? { eventType: "TOKEN" } : END], ADA);
          }
          now = from + 20;
          const gone: string[] = [];
          for (;;) {
            const some = await log.purge({ finishedForMs: age, limit });
            if (some.length === 0) break;
            expect(some.length).toBeLessThanOrEqual(limit);
            gone.push(...idsOf(some));
          }
          const old = inTime.filter(({ endsAt }) => endsAt !== null && 20 - endsAt >= age);
          expect(gone.toSorted()).toStrictEqual(old.map(({ runId }) => runId).toSorted());
          for (const { runId } of runs) {
            const read = log.readPage(runId, ADA);
            if (gone.includes(runId))
              await expect(read).rejects.toMatchObject({ code: "not_found" });
            else expect((await read).events).toHaveLength(1);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each([{ finishedForMs: Number.NaN }, { finishedForMs: -1 }, { finishedForMs: 1, limit: 0 }])(
    "purge refuses %j",
    async (options) => {
      await expect(log.purge(options)).rejects.toMatchObject({ code: "invalid_request" });
    },
  );
});
