import { startTcpProxy, type TcpProxy } from "@tm/run-events-test-servers";
import type pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { countNotifications } from "./notification-counter.ts";
import { PATIENT } from "./patient.ts";
import { untilProven } from "./proven.ts";
import { POLL, type RecordedPool, recordPool, type SentStatement } from "./recorded-pool.ts";
import { appendOf, createOf, oneTo } from "@tm/run-events-test-servers/requests";
import { newSchema, openPool, openStore, useServer, type RuledStore } from "./stores.ts";

const server = useServer();

interface Proxied {
  readonly proxy: TcpProxy;
  readonly pool: RecordedPool;
  readonly store: RuledStore;
  /** Another store, which reaches the server directly, with the runs `a`, `b` and `c`. */
  readonly other: RuledStore;
  /** The number of connections through the proxy that listen. */
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
  it("S13: a store has one connection that listens, with any number of subscribed runs and commits", async () => {
    const { store, pool, listening } = await openProxied();
    for (const number of oneTo(500)) countNotifications(store, `run-${number}`);
    await untilProven(store, "a");
    await Promise.all(oneTo(50).map(() => store.append([appendOf("a"), appendOf("b")])));
    expect(listening()).toBe(1);
    expect(pool.count("LISTEN")).toBe(1);
  });

  it("S18: the connection that listens is closed with the store, and the pool stays open", async () => {
    const { store, pool, listening } = await openProxied();
    await untilProven(store, "a");
    await store.close();
    await expect.poll(listening, PATIENT).toBe(0);
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  it("S18: a connection that opens after the close is closed again", async () => {
    const { store, pool, proxy } = await openProxied();
    countNotifications(store, "a");
    await store.close();
    await expect.poll(() => proxy.connections().length, PATIENT).toBe(0);
    expect(pool.count("LISTEN")).toBe(0);
  });

  it.each(["terminated by the server", "cut on the way"])(
    "S13: the connection that listens comes back by itself when it is %s, and notifies every subscribed run",
    async (how) => {
      const end = Promise.withResolvers<void>();
      // Without polls, only received notifications notify, and the return of the connection.
      const { proxy, store, pool, other, listening } = await openProxied(({ text }) =>
        text.includes(POLL) ? end.promise : undefined,
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

  it("S13: commits notify even if every notification is lost, before and after the connection is proven", async () => {
    const { proxy, store, other } = await openProxied();
    const counter = countNotifications(store, "a");
    await untilProven(store, "a");
    proxy.dropNotifications("postgres");
    for (const value of oneTo(2)) {
      const before = counter.notifyCount();
      await other.append([appendOf("a", value)]);
      await expect.poll(counter.notifyCount, PATIENT).toBeGreaterThan(before);
    }
  });

  it("S13: a connection that does not answer, or receives nothing, is replaced, and polls are frequent meanwhile", async () => {
    const end = Promise.withResolvers<void>();
    const isFirst = ({ text }: SentStatement): boolean =>
      text.startsWith("LISTEN") && mute.pool.count("LISTEN") === 1;
    const mute = await openProxied((statement) => (isFirst(statement) ? end.promise : undefined));
    onTestFinished(() => end.resolve());
    const lossy = await openProxied(({ text }) => {
      const isSecond = text.startsWith("LISTEN") && lossy.pool.count("LISTEN") === 2;
      if (isSecond) lossy.proxy.dropNotifications(null);
    });
    const sound = await openProxied();
    lossy.proxy.dropNotifications("postgres");
    await untilProven(sound.store, "a");
    for (const { store, other } of [mute, lossy]) {
      const counter = countNotifications(store, "a");
      for (const value of oneTo(5)) {
        const before = counter.notifyCount();
        await other.append([appendOf("a", value)]);
        await expect.poll(counter.notifyCount, PATIENT).toBeGreaterThan(before);
      }
    }
    countNotifications(sound.store, "a");
    const [lossyPolls, soundPolls] = [lossy.pool.count(POLL), sound.pool.count(POLL)];
    await expect.poll(() => lossy.pool.count("LISTEN"), PATIENT).toBe(2);
    // A store that receives notifications polls less often.
    expect(lossy.pool.count(POLL) - lossyPolls).toBeGreaterThan(
      (sound.pool.count(POLL) - soundPolls) * 3,
    );
    expect(lossy.pool.sent.some(({ name }) => name !== null)).toBe(false);
    await untilProven(mute.store, "b");
    await untilProven(lossy.store, "b");
    expect([mute.listening(), lossy.listening()]).toEqual([1, 1]);
  });
});
