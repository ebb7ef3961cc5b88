import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { appendRequest, newEvent } from "./run-record.ts";

const LEASE = { runId: "r", ownerId: null, leaseMs: 100 };

/** A store whose clock the test moves, with runs. */
async function createBench(
  ...runIds: readonly string[]
): Promise<{ store: RunEventStore; tick: (ms: number) => void }> {
  let now = 1_000;
  const store = createMemoryStore({ now: () => now });
  for (const runId of runIds) await store.createRun({ runId, ownerId: "ada", metadata: "null" });
  return { store, tick: (ms) => (now += ms) };
}

describe("createMemoryStore", () => {
  it("S21: a claim, a renewal and a release change only the lease, and send no notification", async () => {
    const { store, tick } = await createBench("r");
    const before = await store.getRun("r");
    let notifyCount = 0;
    store.subscribe("r", () => (notifyCount += 1));
    tick(10);
    const fence = 1_010_001;
    const claimed = { ...before, fence, leaseExpiresAtMs: 1_110 };
    expect(await store.claim(LEASE)).toStrictEqual({ outcome: "granted", run: claimed });
    tick(10);
    const renewed = { ...claimed, leaseExpiresAtMs: 1_120 };
    expect(await store.renew({ ...LEASE, fence })).toStrictEqual({
      outcome: "granted",
      run: renewed,
    });
    const [read] = await store.read([{ ...LEASE, since: 0, limit: 1, maxBytes: 1 }]);
    expect(read?.run).toStrictEqual(renewed);
    const released = { ...renewed, leaseExpiresAtMs: null };
    expect(await store.release({ ...LEASE, fence })).toStrictEqual({
      outcome: "granted",
      run: released,
    });
    expect(await store.getRun("r")).toStrictEqual(released);
    await Promise.resolve();
    expect(notifyCount).toBe(0);
  });

  it("S11: the run that a claim returns is the caller's", async () => {
    const { store } = await createBench("r");
    const claimed = await store.claim(LEASE);
    if (claimed.outcome === "granted") Reflect.set(claimed.run, "fence", 9);
    expect(await store.getRun("r")).toMatchObject({ fence: 1_000_001 });
  });

  it("S21: a refused claim changes nothing", async () => {
    const { store } = await createBench("r");
    await store.claim(LEASE);
    const before = await store.getRun("r");
    expect(await store.claim({ ...LEASE, leaseMs: 9_000 })).toMatchObject({ outcome: "claimed" });
    expect(await store.renew({ ...LEASE, fence: 1_000_002 })).toMatchObject({ outcome: "fenced" });
    expect(await store.getRun("r")).toStrictEqual(before);
  });

  it("S23: listExpired answers the runs whose lease expired long enough ago, the longest first, and no others", async () => {
    const { store, tick } = await createBench("long", "short", "renewed", "free", "ended", "held");
    const fences = new Map<string, number>();
    const fenceOf = (runId: string): number => fences.get(runId) ?? Number.NaN;
    const claim = async (runId: string, leaseMs: number): Promise<void> => {
      const claimed = await store.claim({ runId, ownerId: null, leaseMs });
      if (claimed.outcome === "granted") fences.set(runId, claimed.run.fence);
    };
    await claim("short", 30);
    await claim("long", 20);
    for (const runId of ["renewed", "free", "ended"]) await claim(runId, 10);
    await claim("held", 1_000);
    await store.renew({ ...LEASE, runId: "renewed", fence: fenceOf("renewed"), leaseMs: 1_000 });
    await store.release({ runId: "free", ownerId: null, fence: fenceOf("free") });
    const end = { runId: "ended", appender: { by: "worker", fence: fenceOf("ended") } } as const;
    await store.append([appendRequest([newEvent("RUN_COMPLETED")], end)]);
    tick(79);
    expect(await store.listExpired({ graceMs: 50, limit: 9 })).toStrictEqual(["long"]);
    tick(1);
    expect(await store.listExpired({ graceMs: 50, limit: 9 })).toStrictEqual(["long", "short"]);
    expect(await store.listExpired({ graceMs: 50, limit: 1 })).toStrictEqual(["long"]);
    await claim("long", 10);
    expect(await store.listExpired({ graceMs: 50, limit: 9 })).toStrictEqual(["short"]);
  });

  it("S24: purge removes the runs that finished long enough ago, the oldest first, as if each were deleted", async () => {
    const { store, tick } = await createBench("b", "a", "live", "new");
    const notifiedRuns: string[] = [];
    for (const runId of ["b", "a", "live", "new"])
      store.subscribe(runId, () => void notifiedRuns.push(runId));
    const end = async (runId: string): Promise<unknown> =>
      store.append([appendRequest([newEvent("RUN_FAILED")], { runId, idempotencyKey: "k" })]);
    await end("a");
    tick(1);
    await end("b");
    tick(1);
    await end("new");
    await Promise.resolve();
    notifiedRuns.length = 0;
    expect(await store.purge({ finishedForMs: 1, limit: 1 })).toStrictEqual(["a"]);
    expect(await store.purge({ finishedForMs: 1, limit: 9 })).toStrictEqual(["b"]);
    expect(await store.purge({ finishedForMs: 1, limit: 9 })).toStrictEqual([]);
    expect(notifiedRuns).toStrictEqual(["a", "b"]);
    const list = { ownerId: "ada", runStatus: null, before: null, limit: 9 };
    expect((await store.listRuns(list)).map(({ runId }) => runId)).toStrictEqual(["new", "live"]);
    await store.createRun({ runId: "a", ownerId: "eve", metadata: "null" });
    expect(await end("a")).toMatchObject([{ outcome: "appended", firstSequence: 1 }]);
  });
});
