import { ownerName } from "@tm/run-events-core/store";
import { expectEachNotifies } from "@tm/run-events-test-servers/expectations";
import { describe, expect, it, onTestFinished } from "vitest";
import { countNotifications } from "./notification-counter.ts";
import { PATIENT } from "./patient.ts";
import { untilProven } from "./proven.ts";
import { POLL, type RecordedPool, recordPool } from "./recorded-pool.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  endOf,
  oneTo,
  readValues,
  releaseOf,
  renewOf,
} from "@tm/run-events-test-servers/requests";
import { newSchema, openPool, openStore, useServer, type RuledStore } from "./stores.ts";

const server = useServer();

/** The name of the tests' owner in notifications. */
const ADA = ownerName("ada");

/** A store whose polls are held back until the test ends, so that only received notifications notify. */
async function openBlind(schema: string): Promise<{ store: RuledStore; pool: RecordedPool }> {
  const end = Promise.withResolvers<void>();
  const real = openPool(server().url);
  onTestFinished(() => end.resolve());
  const pool = recordPool(real, ({ text }) => (text.includes(POLL) ? end.promise : undefined));
  return { store: await openStore(pool, { schema }), pool };
}

describe("notifications", () => {
  it("S13: another store's commits notify without a poll", async () => {
    const schema = newSchema();
    const { store, pool } = await openBlind(schema);
    const other = await openStore(openPool(server().url), { schema });
    await other.createRun(createOf("own"));
    await untilProven(store, "own");
    await expectEachNotifies(store.inner, other.inner);
    expect(pool.count(POLL)).toBe(1);
  });

  it("S13: a lease notifies no subscription", async () => {
    const schema = newSchema();
    const { store } = await openBlind(schema);
    const other = await openStore(openPool(server().url), { schema });
    for (const runId of ["a", "own"]) await other.createRun(createOf(runId));
    await untilProven(store, "own");
    const counter = countNotifications(store, "a");
    const { fence } = await claimed(other, claimOf("a"));
    for (const number of oneTo(3)) await other.renew(renewOf("a", fence, 1_000_000 + number));
    await other.release(releaseOf("a", fence));
    await other.append([appendOf("a")]);
    await expect.poll(counter.notifyCount, PATIENT).toBe(1);
  });

  it("S13: a store's own commits notify without LISTEN and without a poll", async () => {
    const end = Promise.withResolvers<void>();
    const real = openPool(server().url);
    onTestFinished(() => end.resolve());
    const pool = recordPool(real, ({ text }) =>
      text.includes(POLL) || text.includes("pg_notify") ? end.promise : undefined,
    );
    const store = await openStore(pool);
    const counter = countNotifications(store, "a");
    const commits = [
      () => store.createRun(createOf("a")),
      () => store.append([appendOf("a", 1), appendOf("a", 2)]),
      () => store.append([endOf("a")]),
      () => store.deleteRun("a"),
    ];
    for (const [index, commit] of commits.entries()) {
      await commit();
      await expect.poll(counter.notifyCount, PATIENT).toBe(index + 1);
    }
  });

  it("S13, S18: a commit right before a close is sent", async () => {
    const schema = newSchema();
    const { store } = await openBlind(schema);
    const writing = recordPool(openPool(server().url));
    const other = await openStore(writing, { schema });
    const runIds = ["a", "b", "c", "d", "e", "last"];
    for (const runId of runIds) await other.createRun(createOf(runId));
    await untilProven(store, "a");
    await untilProven(other, "a");
    const counter = countNotifications(store, "last");
    await other.append(runIds.map((runId) => appendOf(runId)));
    await expect.poll(counter.notifyCount, PATIENT).toBe(1);
    await other.append(runIds.slice(0, -1).map((runId) => appendOf(runId)));
    // Its change still waits when it has landed, unless that took longer than the pause after the others.
    await other.append([appendOf("last")]);
    await other.close();
    await expect.poll(counter.notifyCount, PATIENT).toBe(2);
  });

  it("S13: a commit notifies outside of its transaction", async () => {
    const pool = recordPool(openPool(server().url));
    const store = await openStore(pool);
    for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
    await untilProven(store, "a");
    await store.append([appendOf("b"), appendOf("a"), endOf("a")]);
    await store.deleteRun("a");
    // Each statement is a whole transaction, and none both writes and notifies.
    for (const { text } of pool.sent) {
      expect(text).not.toMatch(/^\s*(BEGIN|START|COMMIT|SAVEPOINT)/);
      if (/notify/i.test(text)) expect(text).toMatch(/^SELECT pg_notify\(/);
    }
  });

  it("S13: notifications of strangers do not prove that the store's own arrive", async () => {
    const schema = newSchema();
    const end = Promise.withResolvers<void>();
    const real = openPool(server().url);
    onTestFinished(() => end.resolve());
    const pool = recordPool(real, ({ text, values }) =>
      text.includes(POLL) || String(values[1]).startsWith("?") ? end.promise : undefined,
    );
    const store = await openStore(pool, { schema });
    const counter = countNotifications(store, "a");
    const stranger = openPool(server().url);
    await expect
      .poll(async () => {
        await stranger.query("SELECT pg_notify($1, '?'), pg_notify($1, $2)", [schema, `a:${ADA}`]);
        return counter.notifyCount();
      }, PATIENT)
      .toBeGreaterThan(0);
    await store.createRun(createOf("a"));
    await expect.poll(() => pool.count("pg_notify"), PATIENT).toBeGreaterThan(1);
    expect(pool.sent.filter(({ name }) => name !== null)).toEqual([]);
  });

  it("S13: a later poll finds what a failed one missed", async () => {
    const schema = newSchema();
    let fails = true;
    let failed = 0;
    const pool = recordPool(openPool(server().url), async ({ text }) => {
      if (text.startsWith("LISTEN")) throw new Error("no LISTEN");
      if (!text.includes(POLL) || !fails) return;
      failed += 1;
      throw new Error("no poll");
    });
    const store = await openStore(pool, { schema });
    const other = await openStore(openPool(server().url), { schema });
    const counter = countNotifications(store, "a");
    await other.createRun(createOf("a"));
    await expect.poll(() => failed, PATIENT).toBeGreaterThan(0);
    expect(counter.notifyCount()).toBe(0);
    fails = false;
    await expect.poll(counter.notifyCount, PATIENT).toBe(1);
    expect(await readValues(store, "a")).toEqual([]);
  });

  it.each(["stop", "close"] as const)(
    "S13, S18: a store does not poll after `%s`, nor before its first subscription",
    async (end) => {
      const open = async (): Promise<{ store: RuledStore; pool: RecordedPool }> => {
        const pool = recordPool(openPool(server().url), ({ text }) => {
          if (text.startsWith("LISTEN")) throw new Error("no LISTEN");
        });
        return { pool, store: await openStore(pool) };
      };
      // Without LISTEN, stores poll often.
      const [clock, ended, idle] = [await open(), await open(), await open()];
      await idle.store.createRun(createOf("a"));
      await idle.store.append([appendOf("a")]);
      countNotifications(clock.store, "a");
      const counters = [countNotifications(ended.store, "a"), countNotifications(ended.store, "a")];
      counters[0]?.stop();
      counters[0]?.stop();
      const polls = (): number => ended.pool.count(POLL);
      await expect.poll(polls, PATIENT).toBeGreaterThan(3);
      if (end === "stop") counters[1]?.stop();
      else await ended.store.close();
      const [before, later] = [polls(), clock.pool.count(POLL) + 5];
      await expect.poll(() => clock.pool.count(POLL), PATIENT).toBeGreaterThan(later);
      // The poll that was under way may have been sent.
      expect(polls()).toBe(before);
      expect(idle.pool.count(POLL)).toBe(0);
    },
  );
});
