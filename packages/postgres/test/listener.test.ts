import { startTcpProxy, type TcpProxy } from "@tm/run-events-test-servers";
import type pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import type { PostgresStore } from "../src/index.ts";
import { countNotifications } from "./notification-counter.ts";
import { PATIENT } from "./patient.ts";
import { untilProven } from "./proven.ts";
import { LOOK, type RecordedPool, recordPool, type SentStatement } from "./recorded-pool.ts";
import { appendOf, createOf, oneTo } from "@tm/run-events-test-servers/requests";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

interface Proxied {
  readonly proxy: TcpProxy;
  readonly pool: RecordedPool;
  readonly store: PostgresStore;
  /** Another store, which goes to the server directly, with the runs `a`, `b` and `c`. */
  readonly other: PostgresStore;
  /** How many connections through the proxy listen. */
  listening(): number;
}

/** A store behind a proxy. */
async function openProxied(
  beforeSend?: (statement: SentStatement) => Promise<void> | void,
): Promise<Proxied> {
  const proxy = await startTcpProxy({ to: server() });
  onTestFinished(() => proxy.close());
  const url = new URL(server().url);
  url.port = String(proxy.port);
  const schema = newSchema();
  const other = await openStore(openPool(server().url), { schema });
  for (const runId of ["a", "b", "c"]) await other.createRun(createOf(runId));
  const pool = recordPool(openPool(url.href), beforeSend);
  const store = await openStore(pool, { schema });
  return {
    proxy,
    pool,
    store,
    other,
    listening: () => proxy.connections().filter((one) => one.hasSent("LISTEN")).length,
  };
}

function pidOf(statement: SentStatement | undefined): number | undefined {
  return (statement?.client as (pg.PoolClient & { readonly processID?: number }) | undefined)
    ?.processID;
}

describe("the connection that listens", () => {
  it("S14: is one, however many runs are watched and commits are told", async () => {
    const { store, pool, listening } = await openProxied();
    for (const number of oneTo(500)) countNotifications(store, `run-${number}`);
    await untilProven(store, pool, "a");
    await Promise.all(oneTo(50).map(() => store.append([appendOf("a"), appendOf("b")])));
    expect(listening()).toBe(1);
    expect(pool.count("LISTEN")).toBe(1);
  });

  it("S18: goes with the store, and the pool stays", async () => {
    const { store, pool, listening } = await openProxied();
    await untilProven(store, pool, "a");
    await store.close();
    await expect.poll(listening, PATIENT).toBe(0);
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  it("S18: is not kept if it comes after the close", async () => {
    const { store, pool, proxy } = await openProxied();
    countNotifications(store, "a");
    await store.close();
    await expect.poll(() => proxy.connections().length, PATIENT).toBe(0);
    expect(pool.count("LISTEN")).toBe(0);
  });

  it.each(["terminated by the server", "cut on the way"])(
    "S13: comes back by itself when it is %s, and notifies every watched run",
    async (how) => {
      const end = Promise.withResolvers<void>();
      // Without looks only notifications notify, and that they are heard again.
      const { proxy, store, pool, other, listening } = await openProxied(({ text }) =>
        text.includes(LOOK) ? end.promise : undefined,
      );
      onTestFinished(() => end.resolve());
      const counters = ["a", "b", "c"].map((runId) => countNotifications(store, runId));
      const notifyCount = (): readonly number[] => counters.map((counter) => counter.notifyCount());
      await expect.poll(notifyCount, PATIENT).toEqual([1, 1, 1]);
      for (const round of oneTo(2)) {
        if (how === "cut on the way") {
          for (const one of proxy.connections()) if (one.hasSent("LISTEN")) one.cut();
        } else {
          const pid = pidOf(pool.sent.findLast(({ text }) => text.startsWith("LISTEN")));
          await pool.query("SELECT pg_terminate_backend($1)", [pid]);
        }
        await expect.poll(notifyCount, PATIENT).toEqual([round * 2, round + 1, round + 1]);
        await other.append([appendOf("a", round)]);
        await expect.poll(notifyCount, PATIENT).toEqual([round * 2 + 1, round + 1, round + 1]);
        expect(listening()).toBe(1);
      }
    },
  );

  it("S15: with every notification lost, commits notify all the same, before and after it is proven", async () => {
    const { proxy, store, pool, other } = await openProxied();
    const counter = countNotifications(store, "a");
    await untilProven(store, pool, "a");
    proxy.dropNotifications("postgres");
    for (const value of oneTo(2)) {
      const before = counter.notifyCount();
      await other.append([appendOf("a", value)]);
      await expect.poll(counter.notifyCount, PATIENT).toBeGreaterThan(before);
    }
  });

  it("S13, S15: is replaced if it does not answer, or hears nothing; meanwhile looks are frequent", async () => {
    const end = Promise.withResolvers<void>();
    const isFirst = ({ text }: SentStatement): boolean =>
      text.startsWith("LISTEN") && mute.pool.count("LISTEN") === 1;
    const mute = await openProxied((statement) => (isFirst(statement) ? end.promise : undefined));
    onTestFinished(() => end.resolve());
    const deaf = await openProxied(({ text }) => {
      const isSecond = text.startsWith("LISTEN") && deaf.pool.count("LISTEN") === 2;
      if (isSecond) deaf.proxy.dropNotifications(null);
    });
    const sound = await openProxied();
    deaf.proxy.dropNotifications("postgres");
    await untilProven(sound.store, sound.pool, "a");
    for (const { store, other } of [mute, deaf]) {
      const counter = countNotifications(store, "a");
      for (const value of oneTo(5)) {
        const before = counter.notifyCount();
        await other.append([appendOf("a", value)]);
        await expect.poll(counter.notifyCount, PATIENT).toBeGreaterThan(before);
      }
    }
    countNotifications(sound.store, "a");
    const [deafLooks, soundLooks] = [deaf.pool.count(LOOK), sound.pool.count(LOOK)];
    await expect.poll(() => deaf.pool.count("LISTEN"), PATIENT).toBe(2);
    // Whoever hears has less need to look.
    expect(deaf.pool.count(LOOK) - deafLooks).toBeGreaterThan(
      (sound.pool.count(LOOK) - soundLooks) * 3,
    );
    expect(deaf.pool.sent.some(({ text, client }) => /notify/.test(text) && client)).toBe(false);
    await untilProven(mute.store, mute.pool, "b");
    await untilProven(deaf.store, deaf.pool, "b");
    expect([mute.listening(), deaf.listening()]).toEqual([1, 1]);
  });
});
