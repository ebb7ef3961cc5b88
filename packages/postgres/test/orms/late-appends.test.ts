import { lineOf } from "@tm/run-events-test-servers/joined-appends";
import { createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PostgresQueryable } from "../../src/index.ts";
import { openPool, openStore, useServer, type RuledStore } from "../stores.ts";
import { type OpenOrm, ORMS } from "./orms.ts";

const server = useServer();

/** A client that holds back this statement and all later ones until `over`, and reports when it begins to. */
function holdBack(
  client: PostgresQueryable,
  from: number,
  over: Promise<void>,
  onHeld: () => void,
): PostgresQueryable {
  let sent = 0;
  return {
    async query(text, values) {
      sent += 1;
      if (sent >= from) {
        onHeld();
        await over;
      }
      return client.query(text, values);
    },
  };
}

/** Appends, and how many statements each of them sends after its first. One that is refused sends no other. */
const APPENDS = [
  { name: "that lands", line: lineOf("late"), later: 1 },
  { name: "of a key", line: lineOf("late", { idempotencyKey: "k" }), later: 2 },
];

describe.each(ORMS)("an append that outlives a transaction of $name", ({ open }) => {
  let url = "";
  let orm: OpenOrm;
  beforeAll(async () => {
    url = await server().createDatabase();
    orm = await open(url);
  }, 120_000);
  afterAll(() => orm?.close());

  async function openBusiness(): Promise<{
    readonly store: RuledStore;
    rows(): Promise<readonly unknown[]>;
  }> {
    const pool = openPool(url);
    await pool.query("DROP TABLE IF EXISTS business");
    await pool.query("CREATE TABLE business (id int)");
    const store = await openStore(pool);
    for (const runId of ["a", "b", "c"]) await store.createRun(createOf(runId));
    const rows = async (): Promise<readonly unknown[]> =>
      (await pool.query<{ id: number }>("SELECT id FROM business")).rows.map(({ id }) => id);
    return { store, rows };
  }

  it("S2: of several appends at once, none lands if one was refused and the ORM rolls back", async () => {
    const { store, rows } = await openBusiness();
    for (const refused of oneTo(3)) {
      const settled: Promise<unknown>[] = [];
      const failed = orm.transact(async ({ client, insert }) => {
        await insert(refused);
        const appends = ["a", "b", "c"].map((runId, at) =>
          store.appendInTransaction({
            client,
            ...lineOf(refused, { runId, ...(at + 1 === refused && { expectedSequence: 9 }) }),
          }),
        );
        settled.push(Promise.allSettled(appends));
        await Promise.all(appends);
      });
      await expect(failed).rejects.toMatchObject({ code: "sequence_conflict" });
      await Promise.all(settled);
    }
    expect(await rows()).toEqual([]);
    for (const runId of ["a", "b", "c"]) expect(await readValues(store, runId)).toEqual([]);
  });

  it.each(APPENDS)(
    "S2: an append $name does not land after its transaction, neither alone nor in the one that follows",
    async ({ line, later }) => {
      const { store, rows } = await openBusiness();
      const mine = new Error("mine");
      for (const from of oneTo(later).map((at) => at + 1)) {
        for (const follows of [false, true]) {
          const held = Promise.withResolvers<void>();
          const over = Promise.withResolvers<void>();
          const appends: Promise<unknown>[] = [];
          const failed = orm.transact(async ({ client, insert }) => {
            await insert(1);
            const late = holdBack(client, from, over.promise, held.resolve);
            appends.push(store.appendInTransaction({ client: late, ...line }));
            await held.promise;
            throw mine;
          });
          await expect(failed).rejects.toThrow(mine);
          const [outcome] = await (follows
            ? orm.transact(async ({ insert }) => {
                await insert(2);
                over.resolve();
                return Promise.allSettled(appends);
              })
            : (over.resolve(), Promise.allSettled(appends)));
          expect(outcome).toMatchObject({ status: "rejected" });
        }
      }
      expect(await rows()).toEqual(oneTo(later).map(() => 2));
      expect(await readValues(store, "a")).toEqual([]);
    },
  );
});
