import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ReadResult } from "../src/rules/page.ts";
import type { RunRecord } from "../src/rules/run.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { appendRequest, newEvent } from "./run-record.ts";

const ALL = { runId: "r", ownerId: null, since: 0, limit: 100, maxBytes: 1_000_000 };

async function create(store: RunEventStore, runId = "r", ownerId = "ada"): Promise<RunRecord> {
  const created = await store.createRun({ runId, ownerId, metadata: "null" });
  if (created.outcome !== "created") throw new Error(`Expected ${runId} to be new.`);
  return created.run;
}

async function readAll(store: RunEventStore): Promise<ReadResult> {
  const [result] = await store.read([ALL]);
  if (result === undefined || result === null) throw new Error("Expected the run to exist.");
  return result;
}

function scribble(value: object): void {
  for (const key of Object.keys(value)) Reflect.set(value, key, "scribbled");
}

describe("createMemoryStore", () => {
  it("S11: returned objects belong to the caller, and so do the arguments", async () => {
    const store = createMemoryStore();
    const created = await create(store);
    const events = [newEvent("TOKEN", "1"), newEvent("PHASE_STARTED", '{"phase":"p"}')];
    const request = appendRequest(events, { idempotencyKey: "k" });
    await store.append([request]);
    const [before, run] = [await readAll(store), await store.getRun("r")];
    const kept = structuredClone(before);
    const [listed] = await store.listRuns({
      ownerId: "ada",
      runStatus: null,
      before: null,
      limit: 1,
    });
    const existing = await store.createRun({ runId: "r", ownerId: "ada", metadata: "1" });
    const mine = [created, before.run, ...before.events, run, listed, ...events].filter(
      (value) => value != null,
    );
    if (existing.outcome === "existing") mine.push(existing.run);
    mine.forEach(scribble);
    expect(mine).toHaveLength(9);
    expect(await readAll(store)).toStrictEqual(kept);
    expect(
      await store.append([
        appendRequest([newEvent("TOKEN", "1"), newEvent("PHASE_STARTED", '{"phase":"p"}')], {
          idempotencyKey: "k",
        }),
      ]),
    ).toMatchObject([{ outcome: "replayed", firstSequence: 1, lastSequence: 2 }]);
  });

  it("W2: the store's clock may run backwards, but the times of a run do not", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 100 }), { minLength: 2 }), async (times) => {
        const clock = times.values();
        const store = createMemoryStore({ now: () => clock.next().value ?? 0 });
        const created = await create(store);
        for (const _time of times.slice(1))
          await store.append([appendRequest([newEvent("TOKEN")])]);
        const { run, events } = await readAll(store);
        const seen = [created.createdAtMs, ...events.map((event) => event.createdAtMs)];
        expect(seen).toStrictEqual(seen.toSorted((a, b) => a - b));
        expect(seen).toStrictEqual(times.map((_, at) => Math.max(...times.slice(0, at + 1))));
        expect(run).toMatchObject({ updatedAtMs: seen.at(-1), finishedAtMs: null });
      }),
    );
  });

  it("W14: a deleted id is free again, its log empty, its keys forgotten, its ordinal not used again", async () => {
    const store = createMemoryStore();
    const first = await create(store);
    const end = appendRequest([newEvent("RUN_FAILED")], { idempotencyKey: "k" });
    await store.append([end]);
    expect(await store.deleteRun("r", "eve")).toBe("not_found");
    expect(await store.deleteRun("r", "ada")).toBe("deleted");
    expect(await store.deleteRun("r", null)).toBe("not_found");
    const second = await create(store, "r", "eve");
    expect(second).toMatchObject({ lastSequence: 0, runStatus: "queued", ownerId: "eve" });
    expect(second.ordinal).toBeGreaterThan(first.ordinal);
    expect(await store.append([end])).toMatchObject([{ outcome: "appended", firstSequence: 1 }]);
  });

  it("S2: the requests of one call are independent of each other and keep their order", async () => {
    const store = createMemoryStore();
    await create(store);
    const token = appendRequest([newEvent("TOKEN")]);
    const outcomes = await store.append([
      token,
      appendRequest([newEvent("TOKEN")], { runId: "none" }),
      appendRequest([newEvent("TOKEN")], { expectedSequence: 5 }),
      appendRequest([newEvent("RUN_COMPLETED")]),
      token,
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toStrictEqual([
      "appended",
      "not_found",
      "sequence_conflict",
      "appended",
      "finished",
    ]);
  });

  it("S13: a store notifies of each commit after its answer, of a deletion too, and not after stop", async () => {
    const store = createMemoryStore();
    await create(store);
    let notifyCount = 0;
    const subscription = store.subscribe("r", () => (notifyCount += 1));
    await subscription.ready;
    const answered = store.append([appendRequest([newEvent("RUN_COMPLETED")])]);
    expect(notifyCount).toBe(0);
    await answered;
    expect(notifyCount).toBe(1);
    await store.append([appendRequest([newEvent("TOKEN")])]);
    expect(notifyCount).toBe(1);
    await store.deleteRun("r", null);
    expect(notifyCount).toBe(2);
    await create(store);
    subscription.stop();
    subscription.stop();
    await store.append([appendRequest([newEvent("TOKEN")])]);
    expect(notifyCount).toBe(3);
  });

  it("S18: a closed store refuses everything and sends no notification, and close is idempotent", async () => {
    const store = createMemoryStore();
    await create(store);
    let notifyCount = 0;
    store.subscribe("r", () => (notifyCount += 1));
    const landed = store.append([appendRequest([newEvent("TOKEN")])]);
    await store.close();
    await store.close();
    expect(await landed).toMatchObject([{ outcome: "appended" }]);
    expect(notifyCount).toBe(0);
    const calls = [
      () => store.append([appendRequest([newEvent("TOKEN")])]),
      () => store.read([ALL]),
      () => store.getRun("r"),
      () => store.listRuns({ ownerId: "ada", runStatus: null, before: null, limit: 1 }),
      () => store.createRun({ runId: "r", ownerId: "ada", metadata: "null" }),
      () => store.deleteRun("r", null),
      () => store.claim({ runId: "r", ownerId: null, leaseMs: 1 }),
      () => store.renew({ runId: "r", ownerId: null, fence: 1, leaseMs: 1 }),
      () => store.release({ runId: "r", ownerId: null, fence: 1 }),
      () => store.listExpired({ graceMs: 0, limit: 1 }),
      () => store.purge({ finishedForMs: 1, limit: 1 }),
    ];
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("S6: the capabilities are what the memory store promises beyond the contract", () => {
    expect(createMemoryStore().capabilities).toStrictEqual({
      durability: "memory",
      shared: false,
      joinsTransaction: false,
      losesAcknowledgements: false,
      appendsAtOnce: 1,
      notifyWithinMs: 0,
    });
  });
});
