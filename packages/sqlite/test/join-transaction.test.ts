import { lineOf, makeRefusedLines } from "@tm/run-events-test-servers/joined-appends";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { JoinedAppend } from "../src/index.ts";
import { createRuledStore } from "./ruled-store.ts";
import { DRIVERS, type Handle } from "./drivers.ts";
import { appendOf, createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

function businessRows(db: Handle): unknown {
  return db
    .prepare("SELECT id FROM business ORDER BY id")
    .all()
    .map((row) => (row as { readonly id: number }).id);
}

describe.each(DRIVERS)("an append in the caller's transaction on $name", (driver) => {
  async function openBusiness(): ReturnType<typeof openStore> {
    const opened = await openStore(driver, temporaryFile());
    opened.db.exec("CREATE TABLE business (id INTEGER PRIMARY KEY)");
    await opened.store.createRun(createOf("a"));
    return opened;
  }

  it("S2: a joined append is committed with the caller's rows", async () => {
    const { db, store } = await openBusiness();
    db.exec("BEGIN IMMEDIATE");
    db.exec("INSERT INTO business VALUES (1)");
    expect(store.appendInTransaction(lineOf("x"))).toEqual({
      firstSequence: 1,
      lastSequence: 1,
      runStatus: "running",
      currentPhase: null,
      replayed: false,
    });
    expect(
      store.appendInTransaction(
        lineOf(null, { events: [{ eventType: "PHASE_STARTED", payload: { phase: "draft" } }] }),
      ),
    ).toMatchObject({ firstSequence: 2, currentPhase: "draft" });
    db.exec("COMMIT");
    expect(businessRows(db)).toEqual([1]);
    expect(await readValues(store, "a")).toEqual(["x", { phase: "draft" }]);
    expect(await store.getRun("a")).toMatchObject({ lastSequence: 2, phase: '"draft"' });
  });

  it("S5: a refusal is thrown and leaves the transaction usable", async () => {
    const { db, store } = await openBusiness();
    const { fence, refusals } = await makeRefusedLines(store.inner);
    db.exec("BEGIN IMMEDIATE");
    for (const [append, error] of refusals) {
      expect(() => store.appendInTransaction(append)).toThrow(expect.objectContaining(error));
    }
    expect(store.appendInTransaction(lineOf(1, { idempotencyKey: "k" }))).toMatchObject({
      firstSequence: 1,
      replayed: true,
    });
    db.exec("INSERT INTO business VALUES (1)");
    store.appendInTransaction(lineOf(2, { expectedSequence: 1 }));
    store.appendInTransaction(lineOf(3, { runId: "claimed", fence }));
    db.exec("COMMIT");
    expect(businessRows(db)).toEqual([1]);
    expect(await readValues(store, "a")).toEqual([1, 2]);
    expect(await readValues(store, "claimed")).toEqual([3]);
  });

  it("S2: a failure half-way rolls back its own events and nothing else", async () => {
    const { db, store } = await openBusiness();
    db.exec(`CREATE TRIGGER refuse BEFORE INSERT ON run_events_events WHEN NEW.sequence = 3
      BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    db.exec("BEGIN IMMEDIATE");
    store.appendInTransaction(lineOf("kept"));
    const two = lineOf(null, { events: [{ eventType: "LOG_LINE" }, { eventType: "LOG_LINE" }] });
    expect(() => store.appendInTransaction(two)).toThrow(
      expect.objectContaining({ code: "store_unavailable", cause: expect.any(Error) }),
    );
    db.exec("INSERT INTO business VALUES (1)");
    db.exec("COMMIT");
    db.exec("DROP TRIGGER refuse");
    expect(businessRows(db)).toEqual([1]);
    expect(await readValues(store, "a")).toEqual(["kept"]);
    expect(await store.append([appendOf("a", "next")])).toMatchObject([{ firstSequence: 2 }]);
  });

  it("S13: a joined append notifies after the caller's commit, however late that is", async () => {
    const { db, store } = await openBusiness();
    const onNotification = vi.fn();
    await store.subscribe("a", onNotification).ready;
    db.exec("BEGIN IMMEDIATE");
    store.appendInTransaction(lineOf(1));
    db.exec("COMMIT");
    await expect.poll(() => onNotification.mock.calls.length).toBe(1);

    db.exec("BEGIN IMMEDIATE");
    store.appendInTransaction(lineOf(2));
    for (const _ of oneTo(100)) await nextTurn();
    expect(onNotification).toHaveBeenCalledTimes(1);
    db.exec("COMMIT");
    await expect.poll(() => onNotification.mock.calls.length).toBe(2);
    expect(await readValues(store, "a")).toEqual([1, 2]);
  });

  it("S13: a joined append notifies a subscription that was added between the append and the commit", async () => {
    const { db, store } = await openBusiness();
    db.exec("BEGIN IMMEDIATE");
    store.appendInTransaction(lineOf(1));
    for (const _ of oneTo(10)) await nextTurn();
    const notifiedRuns = Promise.withResolvers<void>();
    const subscription = store.subscribe("a", () => notifiedRuns.resolve());
    db.exec("COMMIT");
    await subscription.ready;
    await notifiedRuns.promise;
    expect(await readValues(store, "a")).toEqual([1]);
  });

  it("S20: a joined append without the write lock is refused at once", async () => {
    const file = temporaryFile();
    const { db, store } = await openStore(driver, file);
    const { store: other } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    db.exec("BEGIN");
    db.prepare("SELECT count(*) FROM run_events_runs").get();
    await other.append([appendOf("a", "other")]);
    expect(() => store.appendInTransaction(lineOf("late"))).toThrow(
      expect.objectContaining({ code: "store_unavailable", retryable: true }),
    );
    db.exec("ROLLBACK");
    expect(await readValues(store, "a")).toEqual(["other"]);
  });

  it("S5: an owner that is given as undefined is a TypeError, and an expected sequence is checked", async () => {
    const { db, store } = await openBusiness();
    db.exec("BEGIN IMMEDIATE");
    for (const ownerId of [undefined, null, "\0", "\ud800", 1]) {
      const append = { ...lineOf(1), ownerId } as JoinedAppend;
      expect(() => store.appendInTransaction(append), String(ownerId)).toThrow(TypeError);
    }
    for (const expectedSequence of [-1, 0.5, Number.NaN, "0" as unknown as number]) {
      expect(() => store.appendInTransaction(lineOf(1, { expectedSequence }))).toThrow(
        expect.objectContaining({ code: "invalid_request" }),
      );
    }
    db.exec("COMMIT");
    expect(await readValues(store, "a")).toEqual([]);
  });

  it("S2: `transact` commits a row and its event together, or undoes both and throws what the work threw", async () => {
    const { db, store } = await openBusiness();
    const write = (id: number, error?: Error): number =>
      store.transact(() => {
        db.prepare("INSERT INTO business VALUES (?)").run(id);
        const { lastSequence } = store.appendInTransaction(lineOf(id));
        if (error !== undefined) throw error;
        return lastSequence;
      });
    const mine = new Error("mine");
    expect(write(1)).toBe(1);
    expect(() => write(2, mine)).toThrow(mine);
    expect(() => store.transact(async () => write(3))).toThrow(TypeError);
    expect(businessRows(db)).toEqual([1]);
    expect(await readValues(store, "a")).toEqual([1]);
  });

  it("S2: `transact` in a transaction is committed with that transaction, and a failure undoes only its own work", async () => {
    const { db, store } = await openBusiness();
    const mine = new Error("mine");
    db.exec("BEGIN IMMEDIATE");
    store.transact(() => store.appendInTransaction(lineOf(1)));
    const failing = (): void =>
      store.transact(() => {
        store.appendInTransaction(lineOf(2));
        throw mine;
      });
    expect(failing).toThrow(mine);
    expect(store.appendInTransaction(lineOf(3))).toMatchObject({ firstSequence: 2 });
    db.exec("COMMIT");
    expect(await readValues(store, "a")).toEqual([1, 3]);
  });

  it("S20: `transact` is refused at once while another connection has the lock, and before the store is set up", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    const other = openHandle(driver, file);
    expect(() => createRuledStore(other).transact(() => 1)).toThrow(TypeError);
    other.exec("BEGIN IMMEDIATE");
    expect(() => store.transact(() => 1)).toThrow(
      expect.objectContaining({ code: "store_unavailable", retryable: true }),
    );
    other.exec("ROLLBACK");
    expect(store.transact(() => 1)).toBe(1);
  });

  it("a joined append outside a transaction, or before the store is set up, is a TypeError", async () => {
    const { store } = await openBusiness();
    expect(() => store.appendInTransaction(lineOf(1))).toThrow(TypeError);
    const db = openHandle(driver, temporaryFile());
    const unopened = createRuledStore(db);
    db.exec("BEGIN");
    expect(() => unopened.appendInTransaction(lineOf(1))).toThrow(TypeError);
    db.exec("ROLLBACK");
    await unopened.close();
    expect(() => unopened.appendInTransaction(lineOf(1))).toThrow(
      expect.objectContaining({ code: "store_unavailable" }),
    );
  });
});
