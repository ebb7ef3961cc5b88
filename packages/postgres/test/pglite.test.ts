import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { createPostgresStore } from "../src/index.ts";
import { PATIENT } from "./patient.ts";
import { expectAsReference } from "./reference.ts";
import { appendOf, createOf, endOf, readValues } from "@tm/run-events-test-servers/requests";
import { newSchema, openStore } from "./stores.ts";
import { expectStubborn } from "./stubborn-run.ts";

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
  it("S5, S21, S22: the store answers any groups and claims as the reference store does", async () => {
    await expectAsReference(db, 20);
  });

  it("S7, S13: a run that neither takes nor refuses an append fails its group, and what has landed notifies", async () => {
    await expectStubborn(db, newSchema());
  });

  it("S2: the store appends in the caller's transaction, even as its first call", async () => {
    const schema = newSchema();
    const first = await openStore(db, { schema });
    await first.createRun(createOf("a"));
    await db.query(`CREATE TABLE ${schema}.business (id int)`);
    const store = createPostgresStore(db, { schema });
    onTestFinished(() => store.close());
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

  it("S13: all commits of the store notify, even in the caller's transactions", async () => {
    const store = await openStore(db, { schema: newSchema() });
    const onNotification = vi.fn();
    store.subscribe("a", onNotification);
    const commits = [
      () => store.createRun(createOf("a")),
      () => store.append([appendOf("a", 1)]),
      () => db.transaction((client) => store.appendInTransaction({ client, ...lineOf(2) })),
      () => store.append([endOf("a")]),
      () => store.deleteRun("a", null),
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
