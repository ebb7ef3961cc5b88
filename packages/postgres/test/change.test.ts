import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  oneTo,
  readValues,
} from "@tm/run-events-test-servers/requests";
import type pg from "pg";
import { describe, expect, it } from "vitest";
import { PATIENT } from "./patient.ts";
import {
  appending,
  LOCKED,
  openRecorded,
  OPTIMISTIC,
  RUN_IDS,
  stepsOf,
} from "./recorded-changes.ts";
import { COMMIT } from "./recorded-pool.ts";
import { begin, countWaiting, openPool, openStore, useServer } from "./stores.ts";
import { refuseUpdates } from "./stubborn-run.ts";

const server = useServer();

describe("a change that conflicts", () => {
  it.each([0, 1, 2, 3])(
    "S21: it locks its run only after three conflicts: after %i it has landed",
    async (conflicts) => {
      const { schema, store, pool, hooks, admin } = await openRecorded(server().url);
      const from = pool.sent.length;
      let left = conflicts;
      hooks.beforeSend = async ({ text }) => {
        if (!text.includes(COMMIT) || left === 0) return;
        left -= 1;
        await admin.query(`UPDATE ${schema}.runs SET revision = revision + 1`);
      };
      expect(await store.inner.change([appending("a", 1)])).toMatchObject([{ firstSequence: 1 }]);
      expect(stepsOf(pool, from)).toEqual([
        ...oneTo(Math.min(conflicts + 1, 3)).flatMap(() => OPTIMISTIC),
        ...(conflicts === 3 ? LOCKED : []),
      ]);
    },
  );

  it("S2, S21: a run that a transaction holds counts as a conflict in a group, and the others do not wait for it", async () => {
    const { schema, store, pool, admin } = await openRecorded(server().url);
    const holder = await begin(admin, `SELECT FROM ${schema}.runs WHERE run_id = 'b' FOR UPDATE`);
    const from = pool.sent.length;
    const changed = store.inner.change(RUN_IDS.map((runId) => appending(runId, runId)));
    await expect.poll(() => countWaiting(admin), PATIENT).toBe(1);
    expect(stepsOf(pool, from)).toEqual([
      "see",
      "commit",
      // Alone, it would wait for the run in its commit.
      ...OPTIMISTIC,
    ]);
    for (const runId of ["a", "c"]) expect(await readValues(store, runId)).toEqual([runId]);
    await holder.query("COMMIT");
    expect(await changed).toMatchObject(RUN_IDS.map(() => ({ firstSequence: 1 })));
  });

  it("S21: two held runs are locked after three conflicts, and the change waits for both", async () => {
    const { schema, store, pool, admin } = await openRecorded(server().url);
    const holder = await begin(admin, `SELECT FROM ${schema}.runs WHERE run_id < 'c' FOR UPDATE`);
    const from = pool.sent.length;
    const changed = store.inner.change(RUN_IDS.map((runId) => appending(runId, runId)));
    await expect.poll(() => countWaiting(admin), PATIENT).toBe(1);
    expect(stepsOf(pool, from)).toEqual([
      ...oneTo(3).flatMap(() => OPTIMISTIC),
      ...LOCKED.slice(0, 2),
    ]);
    expect(await readValues(store, "c")).toEqual(["c"]);
    await holder.query("COMMIT");
    expect(await changed).toMatchObject(RUN_IDS.map(() => ({ firstSequence: 1 })));
    expect(stepsOf(pool, from).slice(-5)).toEqual(LOCKED);
  });

  it("S21: a deadlock under the locks counts as a conflict", async () => {
    // The store finds the deadlock, not the transaction.
    const { schema, store, pool, admin } = await openRecorded(server().url, {
      options: "-c deadlock_timeout=10ms",
    });
    const hold = (runId: string): string =>
      `SET LOCAL deadlock_timeout = '1h'; SELECT FROM ${schema}.runs WHERE run_id = '${runId}' FOR UPDATE`;
    const [first, second] = [await begin(admin, hold("a")), await begin(admin, hold("b"))];
    const changed = store.inner.change(["a", "b"].map((runId) => appending(runId, runId)));
    await expect.poll(() => countWaiting(admin), PATIENT).toBe(1);
    // It gets the run `a` after the store, which by then waits for it.
    const crossed = second.query(hold("a"));
    await expect.poll(() => countWaiting(admin), PATIENT).toBe(2);
    await first.query("COMMIT");
    await crossed;
    expect(pool.sent.filter(({ text }) => text === "ROLLBACK")).toHaveLength(1);
    await second.query("COMMIT");
    expect(await changed).toMatchObject([{ firstSequence: 1 }, { firstSequence: 1 }]);
  });

  it("S13: a commit under a lock notifies after the transaction, not before", async () => {
    const { schema, store, hooks, admin } = await openRecorded(server().url);
    // A run that no notification on its way is about.
    await admin.query(
      `INSERT INTO ${schema}.runs SELECT (jsonb_populate_record(r, '{"run_key": 99, "run_id": "quiet"}')).*
       FROM ${schema}.runs r WHERE run_id = 'a'`,
    );
    const notified: (string | null)[] = [];
    store.subscribe({ ownerId: "ada" }, (runId) => notified.push(runId));
    let conflicts = 3;
    const before: (string | null)[] = [];
    hooks.beforeSend = async ({ text }) => {
      if (text === "COMMIT") {
        await store.createRun(createOf("later"));
        await expect.poll(() => notified, PATIENT).toContain("later");
        before.push(...notified);
      }
      if (!text.includes(COMMIT) || conflicts-- <= 0) return;
      await admin.query(`UPDATE ${schema}.runs SET revision = revision + 1`);
    };
    await store.inner.change([appending("quiet", 1)]);
    expect(before).toContain("later");
    expect(before).not.toContain("quiet");
    await expect.poll(() => notified, PATIENT).toContain("quiet");
  });
});

it("S21: a refusal waits for no lock", async () => {
  const { schema, store, admin } = await openRecorded(server().url);
  const { fence } = await claimed(store, claimOf("a"));
  await begin(admin, `SELECT FROM ${schema}.runs WHERE run_id = 'a' FOR UPDATE`);
  expect(await store.claim(claimOf("a"))).toMatchObject({ outcome: "claimed" });
  const stale = appendOf("a", 1, { appender: { by: "worker", fence: fence + 1 } });
  expect(await store.append([stale])).toMatchObject([{ outcome: "fenced" }]);
});

describe("a change that cannot land", () => {
  it("S2: a statement that fails half-way changes nothing", async () => {
    const { schema, store, admin } = await openRecorded(server().url);
    await admin.query(`ALTER TABLE ${schema}.events ADD CONSTRAINT small CHECK (payload <> '2')`);
    const failed = store.inner.change([appending("a", 1), appending("b", 2)]);
    await expect(failed).rejects.toMatchObject({
      code: "store_unavailable",
      message: "The database failed: the `cause` has its error.",
      ambiguous: false,
      cause: expect.objectContaining({ code: "23514" }),
    });
    expect(await store.getRun("a")).toMatchObject({ lastSequence: 0 });
    expect(await readValues(store, "b")).toEqual([]);
  });

  it.each([
    ["a trigger", refuseUpdates],
    ["a policy", hideFromUpdates],
  ])(
    "S20: a run that neither takes a change nor conflicts, since %s is in the way, fails, and the others have landed",
    async (_, refuse) => {
      const { schema, store, admin } = await openRecorded(server().url);
      const user = await refuse(admin, schema, "b");
      const own = await openStore(user === null ? admin : openPool(withUser(user)), { schema });
      const stubborn = { code: "store_unavailable", retryable: false };
      const alone = own.inner.change([appending("b", 1)]);
      await expect(alone).rejects.toMatchObject({ ...stubborn, ambiguous: false });
      const group = own.inner.change(RUN_IDS.map((runId) => appending(runId, 1)));
      await expect(group).rejects.toMatchObject({ ...stubborn, ambiguous: true });
      expect(await readValues(store, "a")).toEqual([1]);
      expect(await readValues(store, "b")).toEqual([]);
    },
  );
});

/** Makes a user who sees a run, and whose updates do not find it. */
async function hideFromUpdates(pool: pg.Pool, schema: string, runId: string): Promise<string> {
  const role = `r_${schema}`;
  await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
  await pool.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
  await pool.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${role}`);
  await pool.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}`);
  await pool.query(`ALTER TABLE ${schema}.runs ENABLE ROW LEVEL SECURITY`);
  await pool.query(`CREATE POLICY seen ON ${schema}.runs FOR SELECT TO ${role} USING (true)`);
  await pool.query(
    `CREATE POLICY changed ON ${schema}.runs FOR UPDATE TO ${role} USING (run_id <> '${runId}')`,
  );
  return role;
}

function withUser(role: string): string {
  const url = new URL(server().url);
  [url.username, url.password] = [role, role];
  return url.href;
}
