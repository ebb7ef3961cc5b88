import { appendOf, createOf, readValues } from "@tm/run-events-test-servers/requests";
import { expect, it } from "vitest";
import { landOnce } from "../../../core/src/rules/land-once.ts";
import { createCommitIds } from "../../../core/src/log/own-keys.ts";
import { appendRule } from "../../../core/src/rules/append-rule.ts";
import { fromPostgresJs } from "../../src/postgres-js/index.ts";
import { PATIENT } from "../patient.ts";
import { begin, countWaiting, newSchema, openPool, openStore, useServer } from "../stores.ts";
import { openSql } from "./opened-postgres-js.ts";

const server = useServer();
const newId = createCommitIds();
const RUN_IDS = ["a", "b"];

/** A store whose change of two held runs waits for their locks, in a transaction of its own. */
async function openWaiting(application: string) {
  const admin = openPool(server().url);
  const schema = newSchema();
  const sql = openSql(server().url, {
    fetch_types: false,
    connection: { application_name: application },
  });
  const store = await openStore(fromPostgresJs(sql), { schema });
  for (const runId of RUN_IDS) await store.createRun(createOf(runId));
  const holder = await begin(admin, `SELECT FROM ${schema}.runs FOR UPDATE`);
  const changed = store.inner.change(
    RUN_IDS.map((runId) => {
      const decide = landOnce(appendRule(appendOf(runId, runId)), newId);
      return { ownerId: "ada", runId, decide };
    }),
  );
  const settled = Promise.allSettled([changed]);
  await expect.poll(() => countWaiting(admin), PATIENT).toBe(1);
  /** The sessions that wait for a lock, or for the next statement of a transaction. */
  const inTransaction = async (): Promise<readonly { readonly pid: number }[]> =>
    (
      await admin.query(
        `SELECT pid FROM pg_stat_activity WHERE application_name = $1
         AND (wait_event_type = 'Lock' OR state LIKE 'idle in transaction%')`,
        [application],
      )
    ).rows;
  return { admin, store, holder, settled, inTransaction };
}

it("S21: a change locks its runs in one transaction on one connection, and the others are free", async () => {
  const { store, holder, settled, inTransaction } = await openWaiting("postgres.js locking");
  expect(await inTransaction()).toHaveLength(1);
  await store.createRun(createOf("c"));
  expect(await store.append([appendOf("c", 1)])).toMatchObject([{ outcome: "appended" }]);
  await holder.query("COMMIT");
  expect(await settled).toMatchObject([
    { status: "fulfilled", value: [{ firstSequence: 1 }, { firstSequence: 1 }] },
  ]);
  expect(await inTransaction()).toEqual([]);
  for (const runId of RUN_IDS) expect(await readValues(store, runId)).toEqual([runId]);
});

it("S7, S20: a connection that breaks under the locks leaves the change in doubt, and the process and the pool are well", async () => {
  const { admin, store, holder, settled, inTransaction } =
    await openWaiting("postgres.js breaking");
  const [locking] = await inTransaction();
  await admin.query("SELECT pg_terminate_backend($1, 10000)", [locking?.pid]);
  expect(await settled).toMatchObject([
    { status: "rejected", reason: { code: "store_unavailable", retryable: true } },
  ]);
  await holder.query("COMMIT");
  for (const runId of RUN_IDS) {
    expect(await readValues(store, runId)).toEqual([]);
    expect(await store.append([appendOf(runId, 1)])).toMatchObject([{ outcome: "appended" }]);
  }
});
