import type { Change } from "@tm/run-events-core/store";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  endOf,
  listIds,
  oneTo,
  readValues,
  releaseOf,
  renewOf,
} from "@tm/run-events-test-servers/requests";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DRIVERS, type Handle } from "./drivers.ts";
import { plainOf } from "./plain.ts";
import { recordStatements } from "./recorded-statements.ts";
import { createRuledStore, type RuledStore } from "./ruled-store.ts";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

const LOOK = "SELECT 1 FROM run_events_runs WHERE due_kind = 'removed' LIMIT 1";

function countRows(db: Handle): readonly number[] {
  return ["runs", "events", "receipts"].map((table) => {
    const row = db.prepare(`SELECT count(*) AS rows FROM run_events_${table}`).get();
    return Number((row as { readonly rows: number }).rows);
  });
}

/** Waits until the tables have so many runs, events and receipts. */
async function untilRows(db: Handle, rows: readonly number[]): Promise<void> {
  await expect.poll(() => countRows(db), { interval: 1 }).toEqual(rows);
}

/** Makes a finished run of so many events, all but the last with a key. */
async function grow(store: RuledStore, runId: string, count: number): Promise<void> {
  await store.createRun(createOf(runId));
  await store.append([
    ...oneTo(count - 1).map((value) => appendOf(runId, value, { idempotencyKey: `key-${value}` })),
    endOf(runId),
  ]);
}

/** Removes a run. */
function removalOf(runId: string): Change<string> {
  const decide = (): { readonly answer: string; readonly after: null } => ({
    answer: runId,
    after: null,
  });
  return { ownerId: "ada", runId, decide };
}

describe.each(DRIVERS)("removals on $name", (driver) => {
  it("S17: a transaction ends with the 10th run that it removes, or the one that reaches 100 events", async () => {
    const file = temporaryFile();
    const { store: seeds } = await openStore(driver, file);
    const sizes = [150, 49, 49, 49, 49, 49, ...oneTo(13).map(() => 1)];
    for (const [at, size] of sizes.entries()) await grow(seeds, `run-${at}`, size);
    const db = openHandle(driver, file);
    const { ran } = recordStatements(db);
    const store = createRuledStore(db);
    const removals = sizes.map((_, at) => removalOf(`run-${at}`));
    expect(await store.inner.change(removals)).toEqual(sizes.map((_, at) => `run-${at}`));
    const removed = ran.flatMap((text) => {
      if (text === "COMMIT") return "|";
      return text.startsWith("DELETE FROM run_events_runs WHERE run_key = ?") ? "r" : [];
    });
    const transactions = removed.join("").split("|");
    expect(transactions.filter(Boolean).map(({ length }) => length)).toEqual([1, 3, 4, 10, 1]);
    await store.close();
  });

  it("S17: runs of any sizes that one call removes leave no row, and no other run loses one", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 260 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, async (all) => {
        const db = openHandle(driver, ":memory:");
        const store = createRuledStore(db);
        await store.migrate();
        await grow(store, "stays", 120);
        for (const [at, size] of all.entries()) await grow(store, `run-${at}`, size);
        await store.inner.change(all.map((_, at) => removalOf(`run-${at}`)));
        expect(await listIds(store)).toEqual(["stays"]);
        await untilRows(db, [1, 120, 119]);
        await store.close();
      }),
      { numRuns: 20 },
    );
  });

  it("S17: a long run is gone at once, and its events are removed in pieces: an append that waits goes before the next piece", async () => {
    const file = temporaryFile();
    const { store: seeds } = await openStore(driver, file);
    await grow(seeds, "long", 260);
    await seeds.createRun(createOf("live"));
    await seeds.append([appendOf("live", 0)]);
    const db = openHandle(driver, file);
    const order: string[] = [];
    recordStatements(db, (text) => {
      if (text.startsWith("INSERT INTO run_events_events")) order.push("append");
      if (!text.startsWith("DELETE FROM run_events_events")) return;
      order.push("piece");
      void store.inner.append([plainOf("live", order.length)]);
    });
    const store = createRuledStore(db);
    expect(await store.deleteRun("long")).toBe("deleted");
    expect(order.length).toBeLessThan(3);
    expect(await store.getRun("long")).toBeNull();
    await untilRows(db, [1, 4, 0]);
    expect(order).toEqual(["piece", "append", "piece", "append", "piece", "append"]);
    await store.close();
  });

  it("S17: the id of a deleted long run is free at once, and removing the old run's rest removes nothing of the new run", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await grow(store, "long", 260);
    expect(await store.deleteRun("long")).toBe("deleted");
    expect(await store.createRun(createOf("long"))).toMatchObject({ outcome: "created" });
    await store.append([appendOf("long", 7, { idempotencyKey: "key-1" })]);
    await untilRows(db, [1, 1, 1]);
    expect(await readValues(store, "long")).toEqual([7]);
  });

  it("S24: the rest of a long run is in no list", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await grow(store, "long", 260);
    expect(await store.deleteRun("long")).toBe("deleted");
    expect(await store.purge({ finishedForMs: 0, limit: 9 })).toEqual([]);
    expect(await listIds(store)).toEqual([]);
    await untilRows(db, [0, 0, 0]);
  });

  it("S17: if a process ends in the middle of removing a long run, the first change of a later one removes the rest, and the next removal of any other", async () => {
    const file = temporaryFile();
    const { db, store } = await openStore(driver, file);
    for (const next of ["later", "other"]) {
      const { store: leaving } = await openStore(driver, file);
      await grow(store, "long", 1_000);
      await grow(store, "short", 1);
      expect(await leaving.deleteRun("long")).toBe("deleted");
      await leaving.close();
      expect(countRows(db)[0]).toBe(2);
      if (next === "later") {
        const { store: later } = await openStore(driver, file);
        await later.createRun(createOf("new"));
        await untilRows(db, [2, 1, 0]);
        await store.append([endOf("new")]);
        await store.deleteRun("new");
      }
      await store.deleteRun("short");
      await untilRows(db, [0, 0, 0]);
    }
  });

  it("S17: a removal is answered even if its rest cannot be removed, which the next change does then", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await grow(store, "long", 260);
    db.exec(`CREATE TRIGGER refuse BEFORE DELETE ON run_events_events
      BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    expect(await store.deleteRun("long")).toBe("deleted");
    await store.createRun(createOf("a"));
    expect(countRows(db)).toEqual([2, 260, 259]);
    db.exec("DROP TRIGGER refuse");
    await store.createRun(createOf("b"));
    await untilRows(db, [2, 0, 0]);
  });

  it("S12: a store looks for what is left of long runs at its first change and after a removal, and never otherwise", async () => {
    const file = temporaryFile();
    await openStore(driver, file);
    const db = openHandle(driver, file);
    const { ran } = recordStatements(db);
    const store = createRuledStore(db);
    const looks = (): number => ran.filter((text) => text === LOOK).length;
    await store.createRun(createOf("a"));
    expect(looks()).toBe(1);
    const { fence } = await claimed(store, claimOf("a"));
    await store.append([appendOf("a", 1, { appender: { by: "worker", fence } })]);
    await store.renew(renewOf("a", fence));
    await store.release(releaseOf("a", fence));
    await store.append([endOf("a")]);
    await store.deleteRun("nowhere");
    await store.probe();
    expect(looks()).toBe(1);
    await store.deleteRun("a");
    expect(looks()).toBe(2);
    await store.createRun(createOf("b"));
    expect(looks()).toBe(2);
    await store.close();
  });
});
