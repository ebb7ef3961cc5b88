import { describe, expect, it } from "vitest";
import { APPEND, recordPool } from "./recorded-pool.ts";
import { appendOf, createOf, readValues } from "@tm/run-events-test-servers/requests";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();
const READ_ONLY = {
  code: "store_unavailable",
  message: "The database is read-only or a standby: connect to the primary, or make it writable.",
  retryable: true,
  ambiguous: false,
};

describe("a database that is read-only for a while", () => {
  it("S20: a read-only database refuses for the moment, and its connection leaves the pool", async () => {
    let refuses = false;
    const pool = recordPool(openPool(server().url, { max: 2 }), async ({ text, client }) => {
      if (!refuses || client === null || !text.includes(APPEND)) return;
      refuses = false;
      // As in a session of a server that has become read-only.
      await client.query("SET default_transaction_read_only = on");
    });
    const store = await openStore(pool, { listenPool: openPool(server().url) });
    await store.createRun(createOf("a"));
    for (const value of [0, 1]) await store.append([appendOf("a", value)]);
    refuses = true;
    await expect(store.append([appendOf("a", 2)])).rejects.toMatchObject({
      ...READ_ONLY,
      cause: expect.objectContaining({ code: "25006" }),
    });
    // On the earlier connection it would be refused again.
    expect(await store.append([appendOf("a", 3)])).toMatchObject([{ outcome: "appended" }]);
    expect(await readValues(store, "a")).toEqual([0, 1, 3]);
  });

  it("S10, S31: a read-only primary is read, and a probe shows that no append could land", async () => {
    const options = "-c default_transaction_read_only=on";
    const schema = newSchema();
    const store = await openStore(openPool(server().url), { schema });
    await store.createRun(createOf("a"));
    await store.append([appendOf("a", 1)]);
    await store.probe();
    const readOnly = await openStore(openPool(server().url, { options }), { schema });
    await expect(readOnly.probe()).rejects.toMatchObject(READ_ONLY);
    expect(await readValues(readOnly, "a")).toEqual([1]);
  });
});
