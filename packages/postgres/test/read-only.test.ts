import { describe, expect, it } from "vitest";
import { APPEND, type RecordedPool, recordPool } from "./recorded-pool.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  readValues,
  renewOf,
} from "@tm/run-events-test-servers/requests";
import { newSchema, openPool, openStore, useServer, type RuledStore, runsOf } from "./stores.ts";

const server = useServer();
const READ_ONLY = {
  code: "store_unavailable",
  message: "The database is read-only or a standby: connect to the primary, or make it writable.",
  retryable: true,
  ambiguous: false,
};

interface Switched {
  readonly pool: RecordedPool;
  readonly store: RuledStore;
  /** From now on, this many appends find the database read-only, each only on its connection. */
  refuse(times: number): void;
  /** The number of appends that were sent since. */
  appends(): number;
}

/**
 * A store with the running run `a`.
 * @param loses the number of the append that is lost on the way, or whose answer is lost
 */
async function openSwitched(
  loses: { readonly append?: number; readonly answer?: number } = {},
): Promise<Switched> {
  let refusals = 0;
  let appends = 0;
  const lose = (): void => {
    throw new Error("Connection terminated unexpectedly");
  };
  const pool = recordPool(
    openPool(server().url, { max: 2 }),
    async ({ text, client }) => {
      if (client === null || !text.includes(APPEND)) return;
      appends += 1;
      if (appends === loses.append) lose();
      // As in a session of a server that has become read-only.
      const isRefused = appends > 1 && appends <= refusals + 1;
      if (isRefused) await client.query("SET default_transaction_read_only = on");
    },
    ({ text }) => {
      if (text.includes(APPEND) && appends === loses.answer) lose();
    },
  );
  const schema = newSchema();
  const direct = await openStore(openPool(server().url), { schema });
  await direct.createRun(createOf("a"));
  await direct.append([appendOf("a", 0)]);
  const store = await openStore(pool, { schema, listenPool: openPool(server().url) });
  return {
    pool,
    store,
    refuse: (times) => void (refusals = times),
    appends: () => appends,
  };
}

describe("a database that is read-only for a while", () => {
  it("S20: a read-only database refuses for the moment, and its connection leaves the pool", async () => {
    const { store, refuse } = await openSwitched();
    refuse(1);
    await store.append([appendOf("a", 1)]);
    await expect(store.append([appendOf("a", 2)])).rejects.toMatchObject({
      ...READ_ONLY,
      cause: expect.objectContaining({ code: "25006" }),
    });
    // On the earlier connection it would be refused again.
    expect(await store.append([appendOf("a", 3)])).toMatchObject([{ outcome: "appended" }]);
    expect(await readValues(store, "a")).toEqual([0, 1, 3]);
  });

  it.each([
    // A read finds it.
    ["has landed", { answer: 1 }, 1],
    ["has not", { append: 1 }, 5],
  ])("S7: an append in doubt that %s lands once", async (_, loses, attempts) => {
    const { store, refuse, appends } = await openSwitched(loses);
    refuse(3);
    const runs = runsOf(store);
    expect(await runs.append("a", [{ eventType: "LOG_LINE", payload: 1 }])).toMatchObject({
      firstSequence: 2,
      lastSequence: 2,
    });
    expect(appends()).toBe(attempts);
    expect(await readValues(store, "a")).toEqual([0, 1]);
  });

  it("S21: a read-only database takes no lease from its worker, whose renewal may be sent again", async () => {
    const options = "-c default_transaction_read_only=on";
    const schema = newSchema();
    const store = await openStore(openPool(server().url), { schema });
    await store.createRun(createOf("a"));
    const { fence } = await claimed(store, claimOf("a"));
    const readOnly = await openStore(openPool(server().url, { options }), { schema });
    await expect(readOnly.renew(renewOf("a", fence))).rejects.toMatchObject(READ_ONLY);
    expect(await store.renew(renewOf("a", fence))).toMatchObject({ outcome: "granted" });
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
