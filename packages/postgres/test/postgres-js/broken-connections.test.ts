import { startTcpProxy, type TcpProxy } from "@tm/run-events-test-servers";
import { appendOf, createOf, oneTo } from "@tm/run-events-test-servers/requests";
import type postgres from "postgres";
import { expect, it, onTestFinished } from "vitest";
import { type PostgresPool } from "../../src/index.ts";
import { clientOf, fromPostgresJs } from "../../src/postgres-js/index.ts";
import { PATIENT } from "../patient.ts";
import { newSchema, openPool, openStore, useServer, createStore } from "../stores.ts";
import { openSql } from "./opened-postgres-js.ts";

const server = useServer();

/** A proxy in front of the server, and the address that leads through it. */
async function proxied(): Promise<{ readonly proxy: TcpProxy; readonly url: string }> {
  const url = new URL(server().url);
  const proxy = await startTcpProxy({ to: { host: url.hostname, port: Number(url.port) } });
  onTestFinished(() => proxy.close());
  url.host = `${proxy.host}:${proxy.port}`;
  return { proxy, url: url.href };
}

/** The code of the error that a statement fails with; `null` if it does not fail. */
async function codeOf(asked: Promise<unknown>): Promise<unknown> {
  const [{ status, ...rest }] = await Promise.allSettled([asked]);
  return status === "fulfilled"
    ? null
    : (rest as { readonly reason: { code: unknown } }).reason.code;
}

it("S7: statements that begin while connections are closed leave no place of the pool without a connection", async () => {
  const { proxy, url } = await proxied();
  const pool = fromPostgresJs(openSql(url, { max: 2, fetch_types: false, connect_timeout: 10 }));
  const both = (): Promise<unknown>[] => oneTo(2).map(() => pool.query("SELECT pg_sleep(0.05)"));
  await Promise.all(both());
  expect(proxy.connections()).toHaveLength(2);
  proxy.cut();
  const asked: Promise<unknown>[] = [];
  // In each turn of the event loop, as the appends of core do.
  for (const _ of oneTo(20)) {
    await new Promise(setImmediate);
    asked.push(codeOf(pool.query("SELECT 1")));
  }
  expect(await Promise.all(asked)).not.toContain("CONNECT_TIMEOUT");
  expect(await Promise.all(both().map(codeOf))).toEqual([null, null]);
}, 60_000);

/** Fails after its second row. */
const FAILING = "SELECT 1 / (3 - i) FROM generate_series(1, 5) AS i";

it("a statement of the caller that fails after its first rows leaves the store's next answer whole", async () => {
  const sql = openSql(server().url, { max: 1, fetch_types: false });
  const store = await openStore(fromPostgresJs(sql));
  await store.createRun(createOf("a"));
  await expect(sql.unsafe(FAILING)).rejects.toThrow("division by zero");
  expect(await store.getRun("a")).toMatchObject({ runId: "a" });
  await expect(sql.unsafe(FAILING)).rejects.toThrow("division by zero");
  expect(await store.append([appendOf("a", 1)])).toMatchObject([{ outcome: "appended" }]);
  await sql.begin(async (tx) => {
    await expect(tx.savepoint((inner) => inner.unsafe(FAILING))).rejects.toThrow("by zero");
    await expect(tx.savepoint((inner) => inner.unsafe(FAILING))).rejects.toThrow("by zero");
    expect(await clientOf(tx).query("SELECT 7 AS seven")).toEqual({ rows: [{ seven: 7 }] });
  });
});

it("S31: statements with a limit of time hold two connections of a silent server at most, and work once it answers", async () => {
  const { proxy, url } = await proxied();
  const pool = fromPostgresJs(openSql(url, { max: 5, fetch_types: false }));
  await pool.query("SELECT 1");
  await expectFewHeld(proxy, pool);
});

it("S31: statements with a limit of time hold two connections at most of a server that accepts none", async () => {
  const { proxy, url } = await proxied();
  await expectFewHeld(proxy, fromPostgresJs(openSql(url, { max: 5, fetch_types: false })));
});

it("S31: one broken connection does not keep a later statement with a limit of time from its answer", async () => {
  const { proxy, url } = await proxied();
  const pool = fromPostgresJs(openSql(url, { max: 5, fetch_types: false }));
  await pool.query("SELECT 1");
  proxy.connections()[0]?.stall();
  expect(await askFor(50, pool)).toEqual(LATE);
  expect(await askFor(60_000, pool)).toEqual([{ one: 1 }]);
});

it("S31: a limit of time that passes while the program itself is busy does not end the process", async () => {
  const pool = fromPostgresJs(openSql(server().url, { max: 1, fetch_types: false }));
  await pool.query("SELECT 1");
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on("unhandledRejection", note);
  onTestFinished(() => void process.off("unhandledRejection", note));
  const asked = askFor(1, pool);
  // No turn of the event loop comes before the limit.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  expect(await asked).toEqual(LATE);
  expect(unhandled).toEqual([]);
  expect(await askFor(60_000, pool)).toEqual([{ one: 1 }]);
});

it("S31: statements with a limit of time that are sent at once, by any pools of one `sql`, hold two connections at most", async () => {
  const { proxy, url } = await proxied();
  const sql = openSql(url, { max: 5, fetch_types: false });
  await sql`SELECT 1`;
  const pools = oneTo(4).map(() => fromPostgresJs(sql));
  proxy.stall();
  expect(await Promise.all(pools.map((pool) => askFor(50, pool)))).toEqual(pools.map(() => LATE));
  expect(proxy.connections().length).toBeLessThanOrEqual(2);
  proxy.resume();
  const answers = await Promise.all(pools.map((pool) => askFor(60_000, pool)));
  expect(answers).toEqual(pools.map(() => [{ one: 1 }]));
});

const LATE = new Error("Query read timeout");

/** The rows of a statement, or its error. */
function askFor(ms: number, pool: PostgresPool): Promise<unknown> {
  const asked = Promise.withResolvers<unknown>();
  const statement = { text: "SELECT 1 AS one", values: [], query_timeout: ms };
  pool.connect?.((_, client) =>
    client?.query(statement, (error, { rows }) => asked.resolve(error ?? rows)),
  );
  return asked.promise;
}

async function expectFewHeld(proxy: TcpProxy, pool: PostgresPool): Promise<void> {
  proxy.stall();
  for (const _ of oneTo(4)) expect(await askFor(50, pool)).toEqual(LATE);
  expect(proxy.connections().length).toBeLessThanOrEqual(2);
  proxy.resume();
  expect(await askFor(60_000, pool)).toEqual([{ one: 1 }]);
}

/** The sessions of so many connections, which work at the same time. */
async function sessionsOf(sql: postgres.Sql, count: number): Promise<readonly unknown[]> {
  const asked = oneTo(count).map(() => sql`SELECT pg_backend_pid() AS pid, pg_sleep(0.2)`);
  return (await Promise.all(asked)).map(([row]) => row?.["pid"]);
}

it("S10: only the connection to a read-only server is closed, and those of the caller's other statements stay", async () => {
  const sql = openSql(server().url, { max: 3, fetch_types: false });
  const store = await openStore(fromPostgresJs(sql));
  await store.createRun(createOf("a"));
  const before = await sessionsOf(sql, 3);
  const own = await sql.reserve();
  const [readOnly] = await own`SELECT pg_backend_pid() AS pid`;
  await own`SET default_transaction_read_only = on`;
  own.release();
  // The two others have statements, so the append gets this one.
  const others = sessionsOf(sql, 2);
  await expect(store.append([appendOf("a", 1)])).rejects.toMatchObject({ retryable: true });
  const stay = before.filter((pid) => pid !== readOnly?.["pid"]);
  expect(new Set(await others)).toEqual(new Set(stay));
  await expect.poll(() => sessionsOf(sql, 3), PATIENT).not.toContain(readOnly?.["pid"]);
  expect(await sessionsOf(sql, 3)).toEqual(expect.arrayContaining(stay));
});

it("S10: after a refused write, the pool opens as many connections as before, and later statements on the refused one are answered", async () => {
  const schema = newSchema();
  const primary = await openStore(openPool(server().url), { schema });
  await primary.createRun(createOf("a"));
  const connection = { default_transaction_read_only: true };
  const sql = openSql(server().url, { max: 4, fetch_types: false, connection });
  const store = createStore(fromPostgresJs(sql), { schema });
  onTestFinished(() => store.close());
  const expectRefused = (): Promise<void> =>
    expect(store.append([appendOf("a", 1)])).rejects.toMatchObject({ retryable: true });
  const countSessions = async (): Promise<number> => new Set(await sessionsOf(sql, 4)).size;
  await expectRefused();
  // The refused connection is closed after its answer, and takes statements until then.
  await expect.poll(countSessions, PATIENT).toBe(4);
  const refused = expectRefused();
  const asked = oneTo(20).map(async (n) => (await sql`SELECT ${n}::int AS n`)[0]?.["n"]);
  await refused;
  expect(await Promise.all(asked)).toEqual(oneTo(20));
  await expect.poll(countSessions, PATIENT).toBe(4);
});
