import { appendOf, createOf, readValues } from "@tm/run-events-test-servers/requests";
import { lineOf, makeRefusedLines } from "@tm/run-events-test-servers/joined-appends";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPool, openStore, useServer, type RuledStore } from "../stores.ts";
import { type OpenOrm, ORMS } from "./orms.ts";

const server = useServer();

describe.each(ORMS)("an append in a transaction of $name", ({ open }) => {
  let url = "";
  let orm: OpenOrm;
  beforeAll(async () => {
    url = await server().createDatabase();
    orm = await open(url);
  }, 120_000);
  afterAll(() => orm?.close());

  async function openBusiness(): Promise<{
    readonly store: RuledStore;
    readonly pool: pg.Pool;
    rows(): Promise<readonly unknown[]>;
  }> {
    const pool = openPool(url);
    await pool.query("DROP TABLE IF EXISTS business");
    await pool.query("CREATE TABLE business (id int)");
    const store = await openStore(pool);
    await store.createRun(createOf("a"));
    const rows = async (): Promise<readonly unknown[]> =>
      (await pool.query<{ id: number }>("SELECT id FROM business")).rows.map(({ id }) => id);
    return { store, pool, rows };
  }

  it("S2: the event and the ORM's row are committed together, and readers are notified", async () => {
    const { store, rows } = await openBusiness();
    const notified = Promise.withResolvers<void>();
    await store.subscribe("a", () => notified.resolve()).ready;
    const receipt = await orm.transact(async ({ client, insert }) => {
      await insert(1);
      return store.appendInTransaction({ client, ...lineOf({ text: '"\\{},' }) });
    });
    expect(receipt).toMatchObject({ firstSequence: 1, replayed: false });
    expect(await rows()).toEqual([1]);
    expect(await readValues(store, "a")).toEqual([{ text: '"\\{},' }]);
    await notified.promise;
  });

  it("S5: a replay is found inside the transaction, and a refusal leaves it usable", async () => {
    const { store, rows } = await openBusiness();
    const { refusals } = await makeRefusedLines(store.inner);
    const replay = lineOf(1, { idempotencyKey: "k" });
    const receipts = await orm.transact(async ({ client, insert }) => {
      const first = await store.appendInTransaction({ client, ...replay });
      for (const [line, error] of refusals) {
        await expect(store.appendInTransaction({ client, ...line })).rejects.toMatchObject(error);
      }
      await insert(1);
      return [first, await store.appendInTransaction({ client, ...lineOf(2) })];
    });
    expect(receipts).toMatchObject([
      { firstSequence: 1, replayed: true },
      { firstSequence: 2, replayed: false },
    ]);
    expect(await rows()).toEqual([1]);
    expect(await readValues(store, "a")).toEqual([1, 2]);
    expect(await store.append([appendOf("a", 3)])).toMatchObject([{ firstSequence: 3 }]);
  });
});
