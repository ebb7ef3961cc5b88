import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createSqliteStore, type SqliteStore } from "../src/index.ts";
import { DRIVERS, type Handle } from "./drivers.ts";
import {
  appendOf,
  claimOf,
  createOf,
  endOf,
  oneTo,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { recordStatements } from "./recorded-statements.ts";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

function countRows(db: Handle): readonly number[] {
  return ["runs", "events", "receipts"].map((table) => {
    const row = db.prepare(`SELECT count(*) AS rows FROM run_events_${table}`).get();
    return Number((row as { readonly rows: number }).rows);
  });
}

/** Makes a finished run of so many events, all but the last with a key. */
async function grow(store: SqliteStore, runId: string, count: number): Promise<void> {
  await store.createRun(createOf(runId));
  await store.append([
    ...oneTo(count - 1).map((value) => appendOf(runId, value, { idempotencyKey: `key-${value}` })),
    endOf(runId),
  ]);
}

/** Purges until none is left. @returns what each call removed */
async function purgeAll(
  store: SqliteStore,
  limit: number,
): Promise<readonly (readonly string[])[]> {
  const calls: (readonly string[])[] = [];
  for (;;) {
    const gone = await store.purge({ finishedForMs: 0, limit });
    if (gone.length === 0) return calls;
    calls.push(gone);
  }
}

describe.each(DRIVERS)("purge on $name", (driver) => {
  it("S24: a purge removes runs that finished so long ago by the store's clock, the oldest first, with all rows", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const startedAtMs = Date.now();
    for (const runId of ["live", "claimed", "c", "b", "a"]) await store.createRun(createOf(runId));
    await store.claim(claimOf("claimed", 1));
    for (const [at, runId] of ["a", "b", "c"].entries()) {
      vi.setSystemTime(startedAtMs + 10 + at);
      await store.append([appendOf(runId, 1, { idempotencyKey: "k" }), endOf(runId)]);
    }
    await store.append([appendOf("live", 1, { idempotencyKey: "k" })]);
    vi.setSystemTime(startedAtMs + 1_011);
    expect(await store.purge({ finishedForMs: 1_002, limit: 9 })).toEqual([]);
    expect(await store.purge({ finishedForMs: 1_000, limit: 1 })).toEqual(["a"]);
    expect(await store.purge({ finishedForMs: 1_000, limit: 9 })).toEqual(["b"]);
    expect(await store.purge({ finishedForMs: Number.MAX_SAFE_INTEGER, limit: 9 })).toEqual([]);
    expect(await store.purge({ finishedForMs: 0, limit: 9 })).toEqual(["c"]);
    expect(await store.purge({ finishedForMs: 0, limit: 9 })).toEqual([]);
    expect(countRows(db)).toEqual([2, 1, 1]);
    expect(await readValues(store, "live")).toEqual([1]);
  });

  it("S24: a purge ends with the run that reaches 100 events, and removes at least one run", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await grow(store, "large", 150);
    for (const at of oneTo(5)) await grow(store, `small-${at}`, 49);
    expect(await purgeAll(store, 1_000)).toEqual([
      ["large"],
      ["small-1", "small-2", "small-3"],
      ["small-4", "small-5"],
    ]);
    expect(countRows(db)).toEqual([0, 0, 0]);
  });

  it("S24: a purge removes at most 10 runs, since a run takes as long as some events", async () => {
    const { store } = await openStore(driver, temporaryFile());
    for (const at of oneTo(12)) await grow(store, `run-${at}`, 1);
    const calls = await purgeAll(store, 100);
    expect(calls.map(({ length }) => length)).toEqual([10, 2]);
  });

  it("S24: purges of runs of any sizes remove each once, the oldest first, and leave no row", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 260 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 4 }), async (all, limit) => {
        const db = openHandle(driver, ":memory:");
        const store = createSqliteStore(db);
        await store.migrate();
        const runIds = all.map((_, at) => `run-${at}`);
        for (const [at, size] of all.entries()) await grow(store, runIds[at] ?? "", size);
        const calls = await purgeAll(store, limit);
        expect(calls.flat()).toEqual(runIds);
        expect(Math.max(0, ...calls.map(({ length }) => length))).toBeLessThanOrEqual(limit);
        expect(countRows(db)).toEqual([0, 0, 0]);
      }),
      { numRuns: 20 },
    );
  });

  it("S17: a long run is gone at once, and its events are removed in pieces: an append that waits goes before the next piece", async () => {
    const file = temporaryFile();
    const { store: seeds } = await openStore(driver, file);
    await grow(seeds, "long", 260);
    await seeds.createRun(createOf("live"));
    const db = openHandle(driver, file);
    const { ran } = recordStatements(db);
    const store = createSqliteStore(db);
    await store.verify();
    let isOver = false;
    const deleting = store.deleteRun("long", null).finally(() => (isOver = true));
    while (!isOver) {
      await nextTurn();
      expect(await store.getRun("long")).toBeNull();
      await store.append([appendOf("live", 1)]);
    }
    expect(await deleting).toBe("deleted");
    const order = ran.flatMap((text) => {
      if (text.startsWith("DELETE FROM run_events_events")) return ["piece"];
      return text.startsWith("INSERT INTO run_events_events") ? ["append"] : [];
    });
    expect(order.filter((step) => step === "piece")).toHaveLength(3);
    expect(order.join()).not.toContain("piece,piece");
  });

  it("S17: the id of a deleted long run is free at once, and removing the old run's rest removes nothing of the new run", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await grow(store, "long", 260);
    const deleting = store.deleteRun("long", null);
    await nextTurn();
    expect(await store.createRun(createOf("long"))).toMatchObject({ outcome: "created" });
    await store.append([appendOf("long", 7, { idempotencyKey: "key-1" })]);
    expect(await deleting).toBe("deleted");
    expect(await readValues(store, "long")).toEqual([7]);
    expect(countRows(db)).toEqual([1, 1, 1]);
  });

  it("S24: a purge does not mistake the rest of a long run that was just deleted for a run", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await grow(store, "long", 260);
    const deleting = store.deleteRun("long", null);
    expect(await store.purge({ finishedForMs: 0, limit: 9 })).toEqual([]);
    expect(await deleting).toBe("deleted");
    expect(countRows(db)).toEqual([0, 0, 0]);
  });

  it("S17: if a process ends in the middle of removing a long run, the next purge of another process removes the rest", async () => {
    const file = temporaryFile();
    const { db, store } = await openStore(driver, file);
    const { store: leaving } = await openStore(driver, file);
    await grow(store, "long", 260);
    const deleting = leaving.deleteRun("long", null);
    await nextTurn();
    void leaving.close();
    await expect(deleting).rejects.toMatchObject({ code: "store_unavailable" });
    expect(countRows(db)).toEqual([1, 160, 159]);
    expect(
      await store.listRuns({ ownerId: "ada", runStatus: null, before: null, limit: 9 }),
    ).toEqual([]);
    expect(await store.purge({ finishedForMs: Number.MAX_SAFE_INTEGER, limit: 1 })).toEqual([]);
    expect(countRows(db)).toEqual([0, 0, 0]);
  });

  it("S24: a purge notifies the subscriptions of removed runs, here and in other stores", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    const { store: other } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    await store.append([endOf("a")]);
    const notifiedRuns = await Promise.all(
      [store, other].map(async (one) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const { ready } = one.subscribe("a", () => {
          void one.getRun("a").then((run) => (run === null ? resolve() : undefined));
        });
        await ready;
        return { promise };
      }),
    );
    expect(await store.purge({ finishedForMs: 0, limit: 1 })).toEqual(["a"]);
    await Promise.all(notifiedRuns.map(({ promise }) => promise));
  });
});
