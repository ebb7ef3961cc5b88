import { createOf, endOf } from "@tm/run-events-test-servers/requests";
import { describe, expect, it } from "vitest";
import { ChangedReader } from "../../conformance/src/changed-reader.ts";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

describe("the ends of a restored dump", () => {
  it("S29: ends whose transactions have numbers that are still to come here do not come in every answer", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    for (const runId of ["a", "b", "c"]) await store.createRun(createOf(runId));
    await store.append([endOf("a"), endOf("b")]);
    // As from a server that has counted further.
    await pool.query(`UPDATE ${schema}.runs SET ended_xid = '9000000000' WHERE run_id = 'a'`);
    const reader = new ChangedReader();
    for (const limit of [1, 100])
      expect(await reader.askAll(store, limit)).toEqual(
        limit === 1 ? { runs: ["c"], gone: [] } : { runs: [], gone: [] },
      );
    await store.append([endOf("c")]);
    expect(await reader.askAll(store, 1)).toEqual({ runs: ["c"], gone: [] });
    expect(await reader.askAll(store, 1)).toEqual({ runs: [], gone: [] });
  });

  it("S29: readers start over after a table was filled again from a dump", async () => {
    const pool = openPool(server().url);
    const schema = newSchema();
    const store = await openStore(pool, { schema });
    await store.createRun(createOf("a"));
    const ask = (since: string | null) =>
      store.listChanged({ ownerId: "ada", topic: null, since, limit: 9 });
    const { cursor } = await ask(null);
    expect(await ask(cursor)).toMatchObject({ isReset: false, runs: [] });
    await pool.query(
      `CREATE TABLE ${schema}.dump AS SELECT * FROM ${schema}.runs;
       TRUNCATE ${schema}.runs;
       INSERT INTO ${schema}.runs OVERRIDING SYSTEM VALUE SELECT * FROM ${schema}.dump`,
    );
    expect(await ask(cursor)).toMatchObject({ isReset: true, runs: [{ runId: "a" }] });
  });
});
