import { startTcpProxy, type TcpProxy } from "@tm/run-events-test-servers";
import type pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { PATIENT } from "./patient.ts";
import { plainOf } from "./plain-of.ts";
import { appendOf, claimOf, createOf, readValues } from "@tm/run-events-test-servers/requests";
import { landOnce } from "../../core/src/rules/land-once.ts";
import { createCommitIds } from "../../core/src/log/own-keys.ts";
import { appendRule } from "../../core/src/rules/append-rule.ts";
import {
  begin,
  countWaiting,
  newSchema,
  openPool,
  openStore,
  useServer,
  type RuledStore,
} from "./stores.ts";

const server = useServer();

interface Remote {
  readonly proxy: TcpProxy;
  readonly schema: string;
  /** Behind the proxy. */
  readonly store: RuledStore;
  readonly direct: pg.Pool;
}

async function openRemote(): Promise<Remote> {
  const proxy = await startTcpProxy({ to: server() });
  onTestFinished(() => proxy.close());
  const url = new URL(server().url);
  url.port = String(proxy.port);
  const schema = newSchema();
  const store = await openStore(openPool(url.href), { schema });
  await store.createRun(createOf("a"));
  return { proxy, schema, store, direct: openPool(server().url) };
}

/** Cuts the network after the server has committed a value, while its answer is on the way. */
async function loseAnswer<T>(
  { proxy, schema, direct }: Remote,
  value: string,
  send: () => Promise<T>,
): Promise<PromiseSettledResult<T>> {
  const blocker = await direct.connect();
  onTestFinished(() => blocker.release(true));
  await blocker.query("BEGIN");
  await blocker.query(`SELECT FROM ${schema}.runs FOR UPDATE`);
  const settled = Promise.allSettled([send()]);
  // The server has the statement when a session waits for the lock.
  const waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
  await expect.poll(async () => (await direct.query(waiting)).rows.length, PATIENT).toBe(1);
  proxy.stall();
  await blocker.query("COMMIT");
  const landed = `SELECT FROM ${schema}.events WHERE payload LIKE '%${value}%'`;
  await expect.poll(async () => (await direct.query(landed)).rows.length, PATIENT).toBe(1);
  proxy.cut();
  proxy.resume();
  return (await settled)[0];
}

describe("a bad network", () => {
  it("S7: a lost acknowledgement leaves a plain append in doubt, and so a change", async () => {
    const remote = await openRemote();
    const { inner } = remote.store;
    const inDoubt = {
      status: "rejected",
      reason: { code: "store_unavailable", ambiguous: true, retryable: true },
    };
    const decide = landOnce(appendRule(appendOf("a", "a change")), createCommitIds());
    const change = { ownerId: "ada", runId: "a", decide };
    expect(await loseAnswer(remote, "a change", () => inner.change([change]))).toMatchObject(
      inDoubt,
    );
    // The pool's other connections were cut too, and it may not know yet.
    const again = (): Promise<unknown> => inner.change([change]).catch(() => null);
    await expect.poll(again, PATIENT).toMatchObject([{ outcome: "appended", firstSequence: 1 }]);
    const append = plainOf("a", "in doubt", { idempotencyKey: "k" });
    expect(await loseAnswer(remote, "in doubt", () => inner.append([append]))).toMatchObject(
      inDoubt,
    );
    await expect.poll(() => inner.append([append]).catch(() => []), PATIENT).toEqual([null]);
    expect(await readValues(remote.store, "a")).toEqual(["a change", "in doubt"]);
  });

  it("S7: a claim whose connection was never opened was not sent, and is not in doubt", async () => {
    const { proxy, schema, direct } = await openRemote();
    const url = new URL(server().url);
    url.port = String(proxy.port);
    const pool = openPool(url.href, { connectionTimeoutMillis: 500 });
    const store = await openStore(pool, { schema, listenPool: direct });
    proxy.cut();
    proxy.stall();
    // The pool's first connection was cut; the next one waits for the server's first message.
    await expect.poll(() => pool.totalCount, PATIENT).toBe(0);
    await expect(store.claim(claimOf("a"))).rejects.toMatchObject({
      code: "store_unavailable",
      message: "The database cannot be reached in time: check that it runs, and the network to it.",
      retryable: true,
      ambiguous: false,
    });
    proxy.resume();
    await expect
      .poll(() => store.claim(claimOf("a")).catch(() => null), PATIENT)
      .toMatchObject({ outcome: "granted" });
  });

  it("S21: `transaction_timeout` frees the run of an append whose end does not arrive", async () => {
    const { schema, store, direct } = await openRemote();
    await store.append([appendOf("a", "started")]);
    const pool = openPool(server().url, { max: 1, options: "-c transaction_timeout=5000" });
    const halved = await openStore(pool, { schema, listenPool: direct });
    const client = await pool.connect();
    // The message that ends the statement and its transaction; the server has answered all before it.
    const { connection } = client as unknown as Record<"connection", Record<string, () => void>>;
    Object.assign(connection, { sync: () => connection["flush"]?.() });
    client.release();
    const blocker = await begin(direct, `SELECT FROM ${schema}.runs FOR UPDATE`);
    const append = halved.inner.append([plainOf("a", "halved")]).catch((error: unknown) => error);
    await expect.poll(() => countWaiting(direct), PATIENT).toBe(1);
    // After it.
    const claim = store.claim(claimOf("a"));
    await expect.poll(() => countWaiting(direct), PATIENT).toBe(2);
    await blocker.query("COMMIT");
    expect(await claim).toMatchObject({ outcome: "granted" });
    expect(await append).toMatchObject({ code: "store_unavailable", ambiguous: true });
    expect(await readValues(store, "a")).toEqual(["started"]);
  });
});

describe("a session that is ended", () => {
  /** A store whose only connection, besides the one that listens, is in the middle of an append. */
  async function openOccupied(): Promise<{
    readonly remote: Remote;
    readonly store: RuledStore;
    readonly pool: pg.Pool;
    readonly pid: number | undefined;
    readonly isWaiting: () => Promise<boolean>;
  }> {
    const remote = await openRemote();
    const url = new URL(server().url);
    url.port = String(remote.proxy.port);
    const pool = openPool(url.href, { max: 1 });
    const { schema, direct } = remote;
    const store = await openStore(pool, { schema, listenPool: direct });
    const { rows } = await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const pid = rows[0]?.pid;
    const waits = `SELECT FROM pg_stat_activity WHERE pid = ${pid} AND wait_event_type = 'Lock'`;
    const isWaiting = async (): Promise<boolean> => (await direct.query(waits)).rows.length === 1;
    return { remote, store, pool, pid, isWaiting };
  }

  it("S7, S20: a session that is ended leaves its append in doubt, and is not used for the next", async () => {
    const { remote, store, pid, isWaiting } = await openOccupied();
    await store.createRun(createOf("b"));
    await store.append([appendOf("a"), appendOf("b")]);
    await begin(remote.direct, `SELECT FROM ${remote.schema}.runs WHERE run_id = 'a' FOR UPDATE`);
    const appends = ["a", "b"].map((runId) => store.inner.append([plainOf(runId, 1)]));
    const settled = Promise.allSettled(appends);
    await expect.poll(isWaiting, PATIENT).toBe(true);
    await remote.direct.query("SELECT pg_terminate_backend($1)", [pid]);
    const cause = expect.objectContaining({ code: "57P01" });
    expect(await settled).toMatchObject([
      { status: "rejected", reason: { ambiguous: true, retryable: true, cause } },
      { status: "fulfilled", value: [{ firstSequence: 2 }] },
    ]);
  });

  it("S20: a session that is ended in one packet with its last answer fails the next call, and no process", async () => {
    const { remote, store, pool, pid, isWaiting } = await openOccupied();
    const { direct, proxy } = remote;
    const blocker = await begin(direct, "SELECT pg_advisory_xact_lock(1)");
    const settled = Promise.allSettled([
      pool.query("SELECT pg_advisory_xact_lock(1)"),
      store.append([appendOf("a", "next")]),
    ]);
    await expect.poll(isWaiting, PATIENT).toBe(true);
    proxy.stall();
    await blocker.query("COMMIT");
    // If it ended sooner, it would never have answered.
    const answered = `SELECT FROM pg_stat_activity WHERE pid = ${pid} AND state = 'idle'`;
    await expect.poll(async () => (await direct.query(answered)).rows.length, PATIENT).toBe(1);
    await direct.query("SELECT pg_terminate_backend($1, 10000)", [pid]);
    proxy.resume();
    expect(await settled).toMatchObject([
      { status: "fulfilled" },
      { status: "rejected", reason: { code: "store_unavailable", retryable: true } },
    ]);
    await store.append([appendOf("a", "later")]);
    expect(await readValues(store, "a")).toEqual(["later"]);
  });
});
