import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DRIVERS, type Handle } from "./drivers.ts";
import {
  appendOf,
  claimOf,
  createOf,
  endOf,
  oneTo,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { openStore, temporaryFile } from "./stores.ts";

function countRows(db: Handle): readonly number[] {
  return ["runs", "events", "receipts"].map((table) => {
    const row = db.prepare(`SELECT count(*) AS rows FROM run_events_${table}`).get();
    return Number((row as { readonly rows: number }).rows);
  });
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

  it("S24: a purge ends with the run that reaches 2,000 events, and removes at least one run", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    const grow = async (runId: string, count: number): Promise<void> => {
      await store.createRun(createOf(runId));
      await store.append([
        ...oneTo(count - 1).map((value) => appendOf(runId, value)),
        endOf(runId),
      ]);
    };
    await grow("large", 3_000);
    for (const at of oneTo(5)) await grow(`small-${at}`, 999);
    const calls: (readonly string[])[] = [];
    do calls.push(await store.purge({ finishedForMs: 0, limit: 1_000 }));
    while (calls.at(-1)?.length !== 0);
    expect(calls).toEqual([
      ["large"],
      ["small-1", "small-2", "small-3"],
      ["small-4", "small-5"],
      [],
    ]);
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
