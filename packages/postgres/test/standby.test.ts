import { runEventStoreConformance } from "@tm/run-events-conformance";
import {
  type PostgresServer,
  startPostgres,
  startStandby,
  startTcpProxy,
  type TcpProxy,
} from "@tm/run-events-test-servers";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { countNotifications } from "./notification-counter.ts";
import { createDoors } from "./doors.ts";
import { PATIENT } from "./patient.ts";
import { untilProven } from "./proven.ts";
import { recordPool } from "./recorded-pool.ts";
import { appendOf, createOf, queryOf, readValues } from "@tm/run-events-test-servers/requests";
import { createStatements } from "../src/statements.ts";
import { tablesOf } from "../src/tables.ts";
import { newSchema, openPool, openStore, type RuledStore, createStore } from "./stores.ts";

let primary: PostgresServer;
let standby: PostgresServer;
beforeAll(async () => {
  primary = await startPostgres();
  standby = await startStandby(primary);
});
afterAll(async () => {
  await standby?.close();
  await primary?.close();
});

/** The application name of the store's sessions. */
const NAMED = "named";
const STANDBY = {
  code: "store_unavailable",
  message: "The database is read-only or a standby: connect to the primary, or make it writable.",
  retryable: true,
  ambiguous: false,
};

/** All calls of a store, except those that write into a run. */
const READS: readonly (readonly [string, (store: RuledStore) => Promise<unknown>])[] = [
  ["verify", (store) => store.verify()],
  ["migrate", (store) => store.migrate()],
  ["probe", (store) => store.probe()],
  ["read", (store) => store.read([queryOf("a")])],
  ["read a run that does not exist", (store) => store.read([queryOf("nowhere")])],
  ["getRun", (store) => store.getRun("a")],
  [
    "listRuns",
    (store) => store.listRuns({ ownerId: "ada", runStatus: null, before: null, limit: 1 }),
  ],
  [
    "listRuns by status",
    (store) => store.listRuns({ ownerId: "ada", runStatus: "running", before: null, limit: 1 }),
  ],
  ["listDue", (store) => store.listDue({ due: "leased", forMs: 0, limit: 1 })],
];
const WRITES: readonly (readonly [string, (store: RuledStore) => Promise<unknown>])[] = [
  ["createRun", (store) => store.createRun(createOf("a"))],
  ["append", (store) => store.append([appendOf("a")])],
  ["a group", (store) => store.append([appendOf("a"), appendOf("b")])],
  ["claim", (store) => store.claim({ runId: "a", leaseMs: 1 })],
  ["renew", (store) => store.renew({ runId: "a", leaseMs: 1, fence: 1 })],
  ["release", (store) => store.release({ runId: "a", fence: 1 })],
  ["deleteRun", (store) => store.deleteRun("a")],
  ["purge", (store) => store.purge({ finishedForMs: 0, limit: 1 })],
];

interface Named {
  readonly schema: string;
  /** A store that reaches its server by a host name. */
  readonly store: RuledStore;
  /** The proxy that acts as the name. */
  readonly proxy: TcpProxy;
}

/** Opens a store by a name that leads to the primary, with the run `a` and an event. */
async function openNamed(): Promise<Named> {
  const proxy = await startTcpProxy({ to: primary });
  onTestFinished(() => proxy.close());
  const url = new URL(primary.url);
  url.port = String(proxy.port);
  const schema = newSchema();
  const pool = openPool(url.href, { idleTimeoutMillis: 0, application_name: NAMED });
  const store = await openStore(pool, { schema });
  await store.createRun(createOf("a"));
  await store.append([appendOf("a", 1)]);
  return { schema, store, proxy };
}

function openStandby(): pg.Pool {
  return openPool(standby.url, { max: 1 });
}

/** Resolves once the standby has a value of the run `a`. */
async function untilThere(schema: string, value: number): Promise<void> {
  const pool = openPool(standby.url);
  const there = `SELECT FROM ${schema}.events WHERE payload = '${value}'`;
  const rows = async (): Promise<number> =>
    (await pool.query(there).catch(() => ({ rows: [] }))).rows.length;
  await expect.poll(rows, PATIENT).toBe(1);
}

describe("a standby", () => {
  it("S10, S20: a store whose name leads to a standby neither reads nor writes it, nor keeps its connections", async () => {
    const { schema, store, proxy } = await openNamed();
    await untilThere(schema, 1);
    proxy.moveTo(standby);
    proxy.cut();
    const later = createStore(openPool(standby.url), { schema });
    onTestFinished(() => later.close());
    for (const [name, call] of [...READS, ...WRITES]) {
      // The first call on each earlier connection finds it broken.
      const answer = async (): Promise<unknown> => call(store).catch((error: unknown) => error);
      await expect.poll(answer, { ...PATIENT, message: name }).toMatchObject(STANDBY);
      await expect(call(later), name).rejects.toMatchObject(STANDBY);
    }
    proxy.moveTo(primary);
    // Nothing cuts the connections to the standby, and none of them is idle for too long.
    const values = (): Promise<unknown> => readValues(store, "a").catch(() => null);
    await expect.poll(values, PATIENT).toEqual([1]);
    await store.append([appendOf("a", 2)]);
    expect(await readValues(store, "a")).toEqual([1, 2]);
    const sessions = `SELECT FROM pg_stat_activity WHERE application_name = '${NAMED}'`;
    const admin = openStandby();
    const left = async (): Promise<number> => (await admin.query(sessions)).rows.length;
    await expect.poll(left, PATIENT).toBe(0);
  });

  it("S10: a standby refuses every statement of the store", async () => {
    const { schema } = await openNamed();
    await untilThere(schema, 1);
    const client = await openPool(standby.url).connect();
    onTestFinished(() => client.release(true));
    // The plan is made before the values are known.
    await client.query("SET plan_cache_mode = force_generic_plan");
    // Without values, `notify` does nothing. A plan cannot be prepared.
    const tables = Object.keys(tablesOf(schema));
    const statements = Object.entries(createStatements(schema)).filter(
      ([name, text]) =>
        name !== "notify" && !tables.includes(name) && !text.trimStart().startsWith("EXPLAIN"),
    );
    const answers: Record<string, unknown> = {};
    for (const [name, text] of statements) {
      const values = Math.max(
        0,
        ...Array.from(text.matchAll(/\$(\d+)/g), ([, nth]) => Number(nth)),
      );
      await client.query(`PREPARE ${name} AS ${text}`);
      const nulls = values === 0 ? "" : `(${Array(values).fill("NULL").join()})`;
      answers[name] = await client.query(`EXECUTE ${name}${nulls}`).then(
        () => "read",
        ({ code }) => code,
      );
    }
    expect(answers).toEqual(Object.fromEntries(statements.map(([name]) => [name, "25006"])));
  });

  it.each([false, true])(
    "S13: a store receives the primary's notifications once the name leads there, with a `listenPool` or not: %s",
    async (isOwn) => {
      const { schema, proxy } = await openNamed();
      const url = new URL(primary.url);
      url.port = String(proxy.port);
      const pool = recordPool(openPool(url.href));
      const listenPool = recordPool(openPool(url.href, { max: 2 }));
      const store = await openStore(pool, { schema, ...(isOwn ? { listenPool } : {}) });
      const writer = await openStore(openPool(primary.url), { schema });
      await writer.createRun(createOf("own"));
      await untilProven(store, "own");
      const counter = countNotifications(store, "a");
      await untilThere(schema, 1);
      proxy.moveTo(standby);
      proxy.cut();
      await expect
        .poll(() => store.getRun("a").catch((error: unknown) => error), PATIENT)
        .toMatchObject(STANDBY);
      proxy.moveTo(primary);
      const before = counter.notifyCount();
      await writer.append([appendOf("a", 2)]);
      await expect.poll(counter.notifyCount, PATIENT).toBeGreaterThan(before);
      // A standby refuses LISTEN.
      const listens = (): number => (isOwn ? listenPool : pool).count("LISTEN");
      await expect.poll(listens, PATIENT).toBeGreaterThan(1);
    },
  );
});

describe("the kit's cases of refused writes, on a standby that lags", () => {
  const { refuseWrites, ...doors } = createDoors(
    () => openPool(primary.url),
    async (counted) => {
      const there = openPool(primary.url);
      const pool = openPool(standby.url);
      const { rows } = await there.query("SELECT pg_current_wal_lsn()::text AS lsn");
      const caughtUp = "SELECT FROM (SELECT) AS one WHERE pg_last_wal_replay_lsn() >= $1::pg_lsn";
      const [{ lsn }] = rows as [{ readonly lsn: string }];
      const found = async (): Promise<number> => (await pool.query(caughtUp, [lsn])).rows.length;
      await expect.poll(found, PATIENT).toBe(1);
      await pool.query("SELECT pg_wal_replay_pause()");
      counted.lead(pool);
      return async () => {
        counted.lead(null);
        await pool.query("SELECT pg_wal_replay_resume()");
      };
    },
  );
  const options = { name: "standby", ...doors };
  const others = new Set(runEventStoreConformance(options).map(({ name }) => name));
  const all = runEventStoreConformance({ ...options, refuseWrites });
  for (const { name, run, timeoutMs } of all) if (!others.has(name)) it(name, run, timeoutMs);
});
