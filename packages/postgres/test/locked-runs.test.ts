import { createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { PATIENT } from "./patient.ts";
import { openPool, openStore, useServer } from "./stores.ts";

const server = useServer();
const TOKEN = { eventType: "TOKEN" };

it("S2: a run that a transaction holds keeps neither other processes nor later groups waiting", async () => {
  const pool = openPool(server().url);
  const schema = "locked";
  const [store, other] = [await openStore(pool, { schema }), await openStore(pool, { schema })];
  const [here, there] = [createRunEvents({ store }), createRunEvents({ store: other })];
  for (const runId of ["a", "held", "later", "z"]) await here.create({ runId, ownerId: "ada" });

  const client = await pool.connect();
  onTestFinished(() => client.release(true));
  await client.query("BEGIN");
  await store.appendInTransaction({ client, runId: "held", events: [TOKEN] });

  // Together in one group, of which the others land although one waits; their answers wait with it.
  const held = here.append("held", [TOKEN]);
  const together = [here.append("a", [TOKEN]), here.append("z", [TOKEN])];
  await expect.poll(async () => (await there.read("a")).events.length, PATIENT).toBe(1);
  await expect.poll(async () => (await there.read("z")).events.length, PATIENT).toBe(1);
  expect(await there.append("a", [TOKEN])).toMatchObject({ firstSequence: 2 });
  expect(await here.append("later", [TOKEN])).toMatchObject({ firstSequence: 1 });
  // And no backend that waits for the one holds another.
  const { rows } = await pool.query<{ readonly locked: number }>(
    `SELECT count(*)::int AS locked FROM ${schema}.runs WHERE run_id <> 'held' AND run_key NOT IN
       (SELECT run_key FROM ${schema}.runs FOR UPDATE SKIP LOCKED)`,
  );
  expect(rows).toEqual([{ locked: 0 }]);

  await client.query("COMMIT");
  expect(await held).toMatchObject({ firstSequence: 2 });
  expect(await Promise.all(together)).toMatchObject([{ firstSequence: 1 }, { firstSequence: 1 }]);
});
