import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { PATIENT } from "./patient.ts";
import { appendOf, createOf, endOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import { newSchema, openStore, createStore } from "./stores.ts";
import { refuseUpdates } from "./stubborn-run.ts";

let db: PGlite;
beforeAll(() => {
  db = new PGlite();
});
afterAll(() => db.close());

function lineOf(value: unknown): {
  runId: string;
  events: { eventType: string; payload: unknown }[];
} {
  return { runId: "a", events: [{ eventType: "LOG_LINE", payload: value }] };
}

describe("the store on PGlite", () => {
  it("S20: a run that neither takes a change nor conflicts fails, and the others of its group have landed", async () => {
    const schema = newSchema();
    const store = await openStore(db, { schema });
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    await refuseUpdates(db, schema, "b");
    const refused = { code: "store_unavailable", retryable: false };
    await expect(store.append([appendOf("b")])).rejects.toMatchObject(refused);
    expect(await store.append([appendOf("a", 1)])).toMatchObject([{ outcome: "appended" }]);
    expect(await readValues(store, "b")).toEqual([]);
  });

  it("S2: the store appends in the caller's transaction, even as its first call", async () => {
    const schema = newSchema();
    const first = await openStore(db, { schema });
    await first.createRun(createOf("a"));
    await db.query(`CREATE TABLE ${schema}.business (id int)`);
    const store = createStore(db, { schema });
    await db.transaction(async (client) => {
      await client.query(`INSERT INTO ${schema}.business VALUES (1)`);
      await store.appendInTransaction({ client, ...lineOf("kept") });
    });
    await expect(
      db.transaction(async (client) => {
        await client.query(`INSERT INTO ${schema}.business VALUES (2)`);
        await store.appendInTransaction({ client, ...lineOf("gone") });
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect((await db.query(`SELECT id FROM ${schema}.business`)).rows).toEqual([{ id: 1 }]);
    expect(await readValues(store, "a")).toEqual(["kept"]);
    await expect(store.appendInTransaction({ client: db, ...lineOf(1) })).rejects.toThrow(
      TypeError,
    );
  });

  it("S6: calls wait for a transaction that the program has begun with BEGIN, and are not rolled back with it", async () => {
    const store = await openStore(db, { schema: newSchema() });
    await store.createRun(createOf("a"));
    const settled: string[] = [];
    await db.query("BEGIN");
    const calls = [
      store.append([appendOf("a", "x")]).then(() => settled.push("append")),
      store.createRun(createOf("b")).then(() => settled.push("create")),
      readValues(store, "a").then((values) => settled.push(`read ${values.length}`)),
      store.probe().then(() => settled.push("probe")),
    ];
    // The caller's own statements go on, and so do those of its joined appends.
    await store.appendInTransaction({ client: db, ...lineOf("gone") });
    for (const _ of oneTo(20)) await db.query("SELECT 1");
    expect(settled).toEqual([]);
    await db.query("ROLLBACK");
    await Promise.all(calls);
    expect(await readValues(store, "a")).toEqual(["x"]);
    expect(await store.getRun("b")).not.toBeNull();
  });

  it("S6: calls also wait for a transaction that has failed, until the program rolls it back", async () => {
    const store = await openStore(db, { schema: newSchema() });
    await store.createRun(createOf("a"));
    await db.query("BEGIN");
    await expect(db.query("SELECT 1/0")).rejects.toThrow("division by zero");
    const calls = [store.append([appendOf("a", "x")]), store.createRun(createOf("b"))];
    for (const _ of oneTo(20)) await expect(db.query("SELECT 1")).rejects.toThrow("aborted");
    await db.query("ROLLBACK");
    expect(await Promise.all(calls)).toMatchObject([
      [{ outcome: "appended" }],
      { outcome: "created" },
    ]);
  });

  it("S2: of several appends at once in one transaction, none lands if one was refused and it is rolled back", async () => {
    const store = await openStore(db, { schema: newSchema() });
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    const refused = { ...lineOf("x"), expectedSequence: 9 };
    const failed = db.transaction((client) =>
      Promise.all([
        store.appendInTransaction({ client, ...refused }),
        store.appendInTransaction({ client, ...lineOf("y"), runId: "b" }),
      ]),
    );
    await expect(failed).rejects.toMatchObject({ code: "sequence_conflict" });
    expect(await readValues(store, "b")).toEqual([]);
  });

  it("S13: all commits of the store notify, even in the caller's transactions", async () => {
    const store = await openStore(db, { schema: newSchema() });
    const onNotification = vi.fn();
    store.subscribe("a", onNotification);
    const commits = [
      () => store.createRun(createOf("a")),
      () => store.append([appendOf("a", 1)]),
      () => db.transaction((client) => store.appendInTransaction({ client, ...lineOf(2) })),
      () => store.append([endOf("a")]),
      () => store.deleteRun("a"),
    ];
    for (const commit of commits) {
      const before = onNotification.mock.calls.length;
      await commit();
      await expect.poll(() => onNotification.mock.calls.length, PATIENT).toBeGreaterThan(before);
    }
  });

  it("S6: the store promises no durability, and that no other process sees the database", async () => {
    const store = await openStore(db, { schema: newSchema() });
    expect(store.capabilities).toMatchObject({
      durability: "unknown",
      shared: false,
      joinsTransaction: true,
    });
  });
});
