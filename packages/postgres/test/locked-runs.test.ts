import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { expect, it, onTestFinished } from "vitest";
import { PATIENT } from "./patient.ts";
import {
  begin,
  countWaiting,
  newSchema,
  openPool,
  openStore,
  runsOf,
  useServer,
} from "./stores.ts";

const server = useServer();
const TOKEN = { eventType: "TOKEN" };

function hold(schema: string, runId: string): string {
  return `SELECT FROM ${schema}.runs WHERE run_id = '${runId}' FOR UPDATE`;
}

it("S2: a run that a transaction holds makes neither other processes nor later groups wait", async () => {
  const pool = openPool(server().url);
  const schema = "locked";
  const [store, other] = [await openStore(pool, { schema }), await openStore(pool, { schema })];
  const [here, there] = [runsOf(store), runsOf(other)];
  for (const runId of ["a", "held", "later", "z"]) {
    await here.create({ runId });
    await here.append(runId, [TOKEN]);
  }

  const client = await pool.connect();
  onTestFinished(() => client.release(true));
  await client.query("BEGIN");
  await store.appendInTransaction({ client, runId: "held", events: [TOKEN] });

  // In one group, the others land although one waits.
  const held = here.append("held", [TOKEN]);
  const together = [here.append("a", [TOKEN]), here.append("z", [TOKEN])];
  expect(await Promise.all(together)).toMatchObject([{ firstSequence: 2 }, { firstSequence: 2 }]);
  expect(await there.append("a", [TOKEN])).toMatchObject({ firstSequence: 3 });
  expect(await here.append("later", [TOKEN])).toMatchObject({ firstSequence: 2 });
  await expect.poll(() => countWaiting(pool), PATIENT).toBe(1);
  // And no backend that waits for the one run holds another.
  const { rows } = await pool.query<{ readonly locked: number }>(
    `SELECT count(*)::int AS locked FROM ${schema}.runs WHERE run_id <> 'held' AND run_key NOT IN
       (SELECT run_key FROM ${schema}.runs FOR UPDATE SKIP LOCKED)`,
  );
  expect(rows).toEqual([{ locked: 0 }]);

  await client.query("COMMIT");
  expect(await held).toMatchObject({ firstSequence: 3 });
});

it("S2: the held runs of a group land once their transactions end, and the others at once", async () => {
  const pool = openPool(server().url);
  const schema = newSchema();
  const store = await openStore(pool, { schema });
  for (const runId of ["a", "b", "c"]) await store.createRun(createOf(runId));
  const [a, b] = [await begin(pool, hold(schema, "a")), await begin(pool, hold(schema, "b"))];
  const appended = store.append(["a", "b", "c"].map((runId) => appendOf(runId, runId)));
  await expect.poll(() => countWaiting(pool), PATIENT).toBe(1);
  expect(await readValues(store, "c")).toEqual(["c"]);
  await b.query("COMMIT");
  await a.query("COMMIT");
  expect(await appended).toMatchObject([
    { outcome: "appended" },
    { outcome: "appended" },
    { outcome: "appended" },
  ]);
});

it("S21: a refusal waits for no lock", async () => {
  const pool = openPool(server().url);
  const schema = newSchema();
  const store = await openStore(pool, { schema });
  await store.createRun(createOf("a"));
  const { fence } = await claimed(store, claimOf("a"));
  await begin(pool, hold(schema, "a"));
  expect(await store.claim(claimOf("a"))).toMatchObject({ outcome: "claimed" });
  const stale = appendOf("a", 1, { appender: { by: "worker", fence: fence + 1 } });
  expect(await store.append([stale])).toMatchObject([{ outcome: "fenced" }]);
});

it("W33: a run that a transaction holds does not stop the others from being ended", async () => {
  const pool = openPool(server().url);
  const schema = newSchema();
  const store = await openStore(pool, { schema });
  for (const runId of ["held", "left"]) {
    await store.createRun(createOf(runId));
    await claimed(store, claimOf(runId));
  }
  const client = await begin(pool, hold(schema, "held"));
  // As if the lease had expired, for another transaction not to be in the way.
  await client.query(`UPDATE ${schema}.runs SET lease_expires_at_ms = 1, due_ms = 1`);
  await client.query("COMMIT");
  const holder = await begin(pool, hold(schema, "held"));
  const limit = { kind: "leased", limitMs: 0 } as const;
  const ended = ["held", "left"].map((runId) => store.endDue({ runId }, limit));
  const statusOf = async (): Promise<unknown> => (await store.getRun("left"))?.runStatus;
  await expect.poll(statusOf, PATIENT).toBe("failed");
  await holder.query("COMMIT");
  expect(await Promise.all(ended)).toEqual(["ended", "ended"]);
});
