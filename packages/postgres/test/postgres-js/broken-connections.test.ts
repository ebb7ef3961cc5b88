import { startTcpProxy, type TcpProxy } from "@tm/run-events-test-servers";
import { appendOf, createOf, oneTo } from "@tm/run-events-test-servers/requests";
import { expect, it, onTestFinished } from "vitest";
import type { PostgresDriver } from "../../src/index.ts";
import { clientOf, fromPostgresJs } from "../../src/postgres-js/index.ts";
import { openStore, useServer } from "../stores.ts";
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

const LATE = new Error("Query read timeout");

/** The rows of a statement, or its error. */
function askFor(timeoutMs: number, pool: PostgresDriver): Promise<unknown> {
  return pool.query("SELECT 1 AS one", [], { timeoutMs }).then(
    ({ rows }) => rows,
    (error: unknown) => error,
  );
}
