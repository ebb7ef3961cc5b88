import { createRunEvents } from "@tm/run-events-core";
import type pg from "pg";
import { expect, it, onTestFinished, vi } from "vitest";
import { PATIENT } from "./patient.ts";
import { recordPool } from "./recorded-pool.ts";
import { appendOf, createOf, readValues } from "@tm/run-events-test-servers/requests";
import { countWaiting, newSchema, openPool, openStore, useServer } from "./stores.ts";
import { refuseUpdates } from "./stubborn-run.ts";

const server = useServer();
const TOKEN = { eventType: "TOKEN" };

/** Opens a transaction that holds a run. */
async function hold(pool: pg.Pool, schema: string, runId: string): Promise<pg.PoolClient> {
  const client = await pool.connect();
  onTestFinished(() => client.release(true));
  await client.query("BEGIN");
  await client.query(`SELECT FROM ${schema}.runs WHERE run_id = $1 FOR UPDATE`, [runId]);
  return client;
}

it("S2: a run that a transaction holds makes neither other processes nor later groups wait", async () => {
  const pool = openPool(server().url);
  const schema = "locked";
  const [store, other] = [await openStore(pool, { schema }), await openStore(pool, { schema })];
  const [here, there] = [createRunEvents({ store }), createRunEvents({ store: other })];
  for (const runId of ["a", "held", "later", "z"]) await here.create({ runId, ownerId: "ada" });

  const client = await pool.connect();
  onTestFinished(() => client.release(true));
  await client.query("BEGIN");
  await store.appendInTransaction({ client, runId: "held", events: [TOKEN] });

  // In one group, the others land although one waits; their answers wait with it.
  const held = here.append("held", [TOKEN]);
  const together = [here.append("a", [TOKEN]), here.append("z", [TOKEN])];
  await expect.poll(async () => (await there.read("a")).events.length, PATIENT).toBe(1);
  await expect.poll(async () => (await there.read("z")).events.length, PATIENT).toBe(1);
  expect(await there.append("a", [TOKEN])).toMatchObject({ firstSequence: 2 });
  expect(await here.append("later", [TOKEN])).toMatchObject({ firstSequence: 1 });
  // And no backend that waits for the one run holds another.
  const { rows } = await pool.query<{ readonly locked: number }>(
    `SELECT count(*)::int AS locked FROM ${schema}.runs WHERE run_id <> 'held' AND run_key NOT IN
       (SELECT run_key FROM ${schema}.runs FOR UPDATE SKIP LOCKED)`,
  );
  expect(rows).toEqual([{ locked: 0 }]);

  await client.query("COMMIT");
  expect(await held).toMatchObject({ firstSequence: 2 });
  expect(await Promise.all(together)).toMatchObject([{ firstSequence: 1 }, { firstSequence: 1 }]);
});

it("S2: each held run of a group waits only for its own transaction", async () => {
  const pool = openPool(server().url);
  const schema = newSchema();
  const store = await openStore(pool, { schema });
  for (const runId of ["a", "b", "c"]) await store.createRun(createOf(runId));
  const [a, b] = [await hold(pool, schema, "a"), await hold(pool, schema, "b")];
  const appended = store.append(["a", "b", "c"].map((runId) => appendOf(runId, runId)));
  await expect.poll(() => countWaiting(pool), PATIENT).toBe(2);
  expect(await readValues(store, "c")).toEqual(["c"]);
  await b.query("COMMIT");
  await expect.poll(() => readValues(store, "b"), PATIENT).toEqual(["b"]);
  expect(await readValues(store, "a")).toEqual([]);
  await a.query("COMMIT");
  expect(await appended).toMatchObject([
    { outcome: "appended" },
    { outcome: "appended" },
    { outcome: "appended" },
  ]);
});

it("S7: a group that fails for one run still waits for the others", async () => {
  const pool = recordPool(openPool(server().url));
  const admin = openPool(server().url);
  const schema = newSchema();
  const store = await openStore(pool, { schema });
  for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
  await refuseUpdates(admin, schema, "b");
  const client = await hold(admin, schema, "a");
  const settled = vi.fn();
  const appended = store.append([appendOf("a", 1), appendOf("b", 2)]).catch((error: unknown) => {
    settled();
    return error;
  });
  // How often the store tries a run that neither takes its append nor refuses it.
  await expect.poll(() => pool.count("keySequence"), PATIENT).toBeGreaterThan(100);
  await store.getRun("a");
  expect(settled).not.toHaveBeenCalled();
  await client.query("COMMIT");
  expect(await appended).toMatchObject({ code: "store_unavailable", ambiguous: true });
  expect(await readValues(store, "a")).toEqual([1]);
});
