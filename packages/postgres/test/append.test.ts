import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { PATIENT } from "./patient.ts";
import { plainOf } from "./plain-of.ts";
import { untilProven } from "./proven.ts";
import { APPEND, recordPool, SEE } from "./recorded-pool.ts";
import { appendOf, createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import {
  begin,
  countWaiting,
  newSchema,
  openPool,
  openStore,
  type RuledStore,
  useServer,
} from "./stores.ts";

const server = useServer();

/** Makes runs, and starts them, so that they take plain appends. */
async function start(store: RuledStore, runIds: readonly string[]): Promise<void> {
  await Promise.all(runIds.map((runId) => store.createRun(createOf(runId))));
  await store.append(runIds.map((runId) => appendOf(runId, 0)));
}

describe("plain appends", () => {
  it("S2, S12: a group over many runs is one statement", async () => {
    const pool = recordPool(openPool(server().url));
    const store = await openStore(pool);
    const runIds = oneTo(64).map((number) => `run-${number}`);
    await start(store, runIds);
    const [appends, sees] = [pool.count(APPEND), pool.count(SEE)];
    const landings = await store.inner.append(
      [...runIds, ...runIds].map((runId) => plainOf(runId, 1)),
    );
    expect(landings.map((landing) => landing?.firstSequence)).toEqual([
      ...runIds.map(() => 2),
      ...runIds.map(() => 3),
    ]);
    expect(pool.count(APPEND) - appends).toBe(1);
    expect(pool.count(SEE) - sees).toBe(0);
  });

  it("S5: a key that has landed before leaves the whole group to one change", async () => {
    const pool = recordPool(openPool(server().url));
    const store = await openStore(pool);
    await start(store, ["a", "b"]);
    const keyed = plainOf("a", 1, { idempotencyKey: "k" });
    expect(await store.inner.append([keyed])).toMatchObject([{ firstSequence: 2 }]);
    expect(await store.inner.append([plainOf("b", 1), keyed])).toEqual([null, null]);
    const [appends, sees] = [pool.count(APPEND), pool.count(SEE)];
    const outcomes = await store.append([
      appendOf("a", 2),
      appendOf("a", 1, { idempotencyKey: "k" }),
      appendOf("b", 3),
      appendOf("a", 4),
    ]);
    expect(outcomes).toMatchObject([
      { outcome: "appended", firstSequence: 3 },
      { outcome: "replayed", firstSequence: 2, lastSequence: 2 },
      { outcome: "appended", firstSequence: 2 },
      { outcome: "appended", firstSequence: 4 },
    ]);
    expect(pool.count(APPEND) - appends).toBe(2);
    expect(pool.count(SEE) - sees).toBe(1);
    expect(await readValues(store, "a")).toEqual([0, 1, 2, 4]);
    expect(await readValues(store, "b")).toEqual([0, 3]);
  });

  it("S5: a refused append does not close its connection, and leaves nothing on it", async () => {
    const real = openPool(server().url, { max: 2 });
    const pool = recordPool(real);
    const store = await openStore(pool);
    await start(store, ["a"]);
    const keyed = appendOf("a", 1, { idempotencyKey: "k" });
    await store.append([keyed]);
    await untilProven(store, "a");
    let connected = 0;
    real.on("connect", () => (connected += 1));
    for (const _ of oneTo(20)) {
      expect(await store.append([keyed])).toMatchObject([{ outcome: "replayed" }]);
    }
    expect(connected).toBe(0);
    const client = await real.connect();
    expect(client.listenerCount("error")).toBe(0);
    client.release();
  });

  it("S5: one that waits for its run is not plain if another writer has it by then, and a group does not wait", async () => {
    const schema = newSchema();
    const pool = openPool(server().url);
    const { inner: store, ...ruled } = await openStore(pool, { schema });
    await start({ ...ruled, inner: store }, ["a", "b"]);
    const taken = `UPDATE ${schema}.runs SET fence = 7, lease_expires_at_ms = 8000000000000 WHERE run_id = 'a'`;
    const next = await begin(pool, taken);
    expect(await store.append([plainOf("a", 1), plainOf("b", 1)])).toMatchObject([
      null,
      { firstSequence: 2 },
    ]);
    const alone = store.append([plainOf("a", 2)]);
    await expect.poll(() => countWaiting(pool), PATIENT).toBe(1);
    await next.query("COMMIT");
    expect(await alone).toEqual([null]);
    expect(await store.append([plainOf("a", 3, { fence: 7 })])).toMatchObject([
      { firstSequence: 2 },
    ]);
  });
});

describe("prepared statements", () => {
  function appendNames(pool: ReturnType<typeof recordPool>): readonly (string | null)[] {
    return pool.sent.filter(({ text }) => text.includes(APPEND)).map(({ name }) => name);
  }

  it("S12: prepared statements are used once LISTEN is proven, and not before", async () => {
    const mayListen = Promise.withResolvers<void>();
    const pool = recordPool(openPool(server().url), ({ text }) =>
      text.startsWith("LISTEN") ? mayListen.promise : undefined,
    );
    const store = await openStore(pool);
    await start(store, ["a"]);
    for (const value of oneTo(10)) await store.append([appendOf("a", value)]);
    expect(new Set(appendNames(pool))).toEqual(new Set([null]));
    mayListen.resolve();
    await expect
      .poll(async () => {
        await store.append([appendOf("a")]);
        return appendNames(pool).at(-1);
      }, PATIENT)
      .not.toBeNull();
    await store.append([appendOf("a"), appendOf("a")]);
    await store.append([appendOf("a")]);
    // One name a statement, not one a call.
    expect(new Set(appendNames(pool).slice(-2)).size).toBe(1);
  });

  it("S12: prepared statements are never used where another pool listens", async () => {
    const pool = recordPool(openPool(server().url));
    const listenPool = recordPool(openPool(server().url, { max: 1 }));
    const store = await openStore(pool, { listenPool });
    await start(store, ["a"]);
    await untilProven(store, "a");
    for (const value of oneTo(5)) await store.append([appendOf("a", value)]);
    expect(new Set(appendNames(pool))).toEqual(new Set([null]));
  });

  it("S7: a session that has forgotten prepared statements only ends their use", async () => {
    const real = new pg.Pool({ connectionString: server().url, max: 2 });
    onTestFinished(() => real.end());
    const pool = recordPool(real);
    const store = await openStore(pool);
    await start(store, ["a"]);
    let values = 0;
    const append = (): Promise<unknown> => store.append([appendOf("a", ++values)]);
    await expect
      .poll(async () => {
        await append();
        return appendNames(pool).at(-1);
      }, PATIENT)
      .not.toBeNull();
    // The other connection listens, so only one can forget them.
    await real.query("DEALLOCATE ALL");
    expect(await append()).toMatchObject([{ outcome: "appended", firstSequence: values + 1 }]);
    expect(appendNames(pool).slice(-2)).toEqual([expect.any(String), null]);
    await append();
    expect(appendNames(pool).at(-1)).toBeNull();
    expect(await readValues(store, "a")).toEqual([0, ...oneTo(values)]);
  });
});
