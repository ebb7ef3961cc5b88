import type { AppendReceipt, RunEventsError } from "@tm/run-events-core";
import { lineOf } from "@tm/run-events-test-servers/joined-appends";
import {
  appendOf,
  createOf,
  oneTo,
  readLog,
  readValues,
} from "@tm/run-events-test-servers/requests";
import type pg from "pg";
import { expect, it } from "vitest";
import type { PostgresQueryable } from "../src/index.ts";
import { PATIENT } from "./patient.ts";
import {
  begin,
  countWaiting,
  newSchema,
  openPool,
  openStore,
  runsOf,
  useServer,
  type RuledStore,
} from "./stores.ts";

const server = useServer();

const REPLAY = lineOf(1, { runId: "b", idempotencyKey: "k" });

/** A store with the runs `a` and `b`, in which the key `k` has landed. */
async function openReplayed(): Promise<{ readonly pool: pg.Pool; readonly store: RuledStore }> {
  const pool = openPool(server().url);
  const store = await openStore(pool);
  await store.createRun(createOf("a"));
  await store.createRun(createOf("b"));
  await store.append([appendOf("b", 1, { idempotencyKey: "k" })]);
  return { pool, store };
}

it("S2: appends at once in one transaction are all committed, also next to a replay", async () => {
  const { pool, store } = await openReplayed();
  // The replay fails before the other append has its answer, or after it.
  for (const statements of [0, 1, 2]) {
    const client = await begin(pool, "SELECT 1");
    const replayLate = async (): Promise<AppendReceipt> => {
      for (const _ of oneTo(statements)) await client.query("SELECT 1");
      return store.appendInTransaction({ client, ...REPLAY });
    };
    const appended = store.appendInTransaction({ client, ...lineOf(statements) });
    expect(await Promise.all([appended, replayLate()])).toMatchObject([
      { firstSequence: statements + 1 },
      { firstSequence: 1, replayed: true },
    ]);
    await client.query("COMMIT");
  }
  expect(await readValues(store, "a")).toEqual([0, 1, 2]);
});

it("S2: any number of appends at once in one transaction land, and leave no mark behind", async () => {
  const { pool, store } = await openReplayed();
  const client = await begin(pool, "SELECT 1");
  const values = oneTo(100);
  await Promise.all(values.map((value) => store.appendInTransaction({ client, ...lineOf(value) })));
  const { rows } = await client.query("SELECT current_setting('run_events.joined') AS marks");
  expect(rows).toEqual([{ marks: "" }]);
  await client.query("COMMIT");
  expect(await readValues(store, "a")).toEqual(values);
});

it.each(["COMMIT", "ROLLBACK"])(
  "S2, S4: a joined append is neither queued behind other calls of its run that wait for its transaction, nor committed with them: %s",
  async (end) => {
    const { pool, store } = await openReplayed();
    const client = await begin(pool, "SELECT 1");
    await store.appendInTransaction({ client, ...lineOf("joined") });
    const runs = runsOf(store);
    const append = (payload: string): Promise<unknown> =>
      runs.append("a", [{ eventType: "LOG_LINE", payload }]);
    const others = [append("other"), runs.cancel("a")];
    await expect.poll(() => countWaiting(pool), PATIENT).toBe(1);
    others.push(runs.claim("a", { leaseMs: 60_000 }).catch(({ code }: RunEventsError) => code));
    // Appends in the queue of the process would wait for this transaction, which would wait for the queue.
    const joined = await Promise.all(
      ["too", "also"].map((value) => store.appendInTransaction({ client, ...lineOf(value) })),
    );
    expect(joined).toMatchObject([{ firstSequence: 2 }, { firstSequence: 3 }]);
    expect(await readValues(store, "a")).toEqual([]);
    await client.query(end);
    expect((await Promise.all(others)).at(-1)).toBe("run_finished");
    expect(await readValues(store, "a")).toEqual([
      ...(end === "COMMIT" ? ["joined", "too", "also"] : []),
      "other",
      null,
    ]);
  },
);

it("S24: a joined append that waits for another transaction has the time when it got the run", async () => {
  const { pool, store } = await openReplayed();
  const holder = await begin(pool, "SELECT 1");
  await store.appendInTransaction({ client: holder, ...lineOf("first") });
  const client = await begin(pool, "SELECT 1");
  const joined = store.appendInTransaction({ client, ...lineOf("second") });
  await expect.poll(() => countWaiting(pool), PATIENT).toBe(1);
  const waited = await store.probe();
  await holder.query("COMMIT");
  await joined;
  await client.query("COMMIT");
  const [, second] = await readLog(store, "a");
  expect(second?.createdAtMs).toBeGreaterThanOrEqual(waited);
});

it.each([{}, { idempotencyKey: "new" }])(
  "S24: a joined append that is more than 5 s old when it would land is decided again: %o",
  async (more) => {
    const { pool, store } = await openReplayed();
    const connection = await begin(pool, "SELECT 1");
    let ages = 0;
    const client: PostgresQueryable = {
      async query(text, values) {
        const { rows } = await connection.query<Record<string, unknown>>(text, values);
        for (const row of rows) {
          if (row["nowMs"] === undefined || (ages += 1) > 2) continue;
          row["nowMs"] = Number(row["nowMs"]) - 5_001;
        }
        return { rows };
      },
    };
    const before = await store.probe();
    expect(await store.appendInTransaction({ client, ...lineOf("x", more) })).toMatchObject({
      firstSequence: 1,
    });
    await connection.query("COMMIT");
    const [event] = await readLog(store, "a");
    expect(event?.createdAtMs).toBeGreaterThanOrEqual(before);
    expect(ages).toBeGreaterThan(2);
  },
);

it("S5: an append that waits for one of the same key is its replay, and the transaction stays usable", async () => {
  const { pool, store } = await openReplayed();
  const append = lineOf("x", { idempotencyKey: "new" });
  const holder = await begin(pool, "SELECT 1");
  await store.appendInTransaction({ client: holder, ...append });
  const client = await begin(pool, "SELECT 1");
  const replay = store.appendInTransaction({ client, ...append });
  await expect.poll(() => countWaiting(pool), PATIENT).toBe(1);
  await holder.query("COMMIT");
  expect(await replay).toMatchObject({ firstSequence: 1, replayed: true });
  await store.appendInTransaction({ client, ...lineOf("y") });
  await client.query("COMMIT");
  expect(await readValues(store, "a")).toEqual(["x", "y"]);
});

it("S20: an append that a time limit of its transaction ends says which one, and a session that has ended is named", async () => {
  const { pool, store } = await openReplayed();
  const holder = await begin(pool, "SELECT 1");
  await store.appendInTransaction({ client: holder, ...lineOf("held") });
  const client = await begin(pool, "SET LOCAL lock_timeout = 10");
  await expect(store.appendInTransaction({ client, ...lineOf("x") })).rejects.toMatchObject({
    message: expect.stringContaining("raise `lock_timeout`"),
    retryable: true,
  });
  await client.query("ROLLBACK");
  await client.query("BEGIN");
  const ended = new Promise((resolve) => client.on("error", resolve));
  await client.query("SET idle_in_transaction_session_timeout = 10");
  await ended;
  await expect(store.appendInTransaction({ client, ...lineOf("x") })).rejects.toMatchObject({
    message: expect.stringContaining("The connection to the database broke"),
    retryable: true,
  });
});

it("S7: an append that the driver stops waiting for is ambiguous: it lands if the caller commits all the same", async () => {
  const pool = openPool(server().url);
  const schema = newSchema();
  const store = await openStore(pool, { schema });
  await store.createRun(createOf("a"));
  const holder = await begin(pool, `LOCK TABLE ${schema}.events IN SHARE MODE`);
  const client = await begin(pool, "SELECT 1");
  let sent = 0;
  const impatient: PostgresQueryable = {
    query(text, values = []) {
      sent += 1;
      // The third statement appends.
      return client.query({ text, values, ...(sent === 3 && { query_timeout: 1 }) });
    },
  };
  await expect(
    store.appendInTransaction({ client: impatient, ...lineOf("x") }),
  ).rejects.toMatchObject({ code: "store_unavailable", ambiguous: true });
  await holder.query("COMMIT");
  await client.query("COMMIT");
  expect(await readValues(store, "a")).toEqual(["x"]);
});
