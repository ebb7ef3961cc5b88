import {
  type AppendOutcome,
  appendRule,
  type Change,
  createCommitIds,
  landOnce,
} from "@tm/run-events-core/store";
import {
  appendOf,
  createOf,
  endOf,
  oneTo,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import type pg from "pg";
import { describe, expect, it } from "vitest";
import { PATIENT } from "./patient.ts";
import { COMMIT, type RecordedPool, recordPool, SEE, type SentStatement } from "./recorded-pool.ts";
import {
  begin,
  countWaiting,
  newSchema,
  openPool,
  openStore,
  type RuledStore,
  useServer,
} from "./stores.ts";
import { refuseUpdates } from "./stubborn-run.ts";

const server = useServer();
const newId = createCommitIds();
const RUN_IDS = ["a", "b", "c"];

/** A change that appends a value. */
function appending(runId: string, value: unknown): Change<AppendOutcome> {
  const decide = landOnce(appendRule(appendOf(runId, value)), newId);
  return { ownerId: "ada", runId, decide };
}

/** A change that removes a run. */
function removing(runId: string): Change<void> {
  return { ownerId: "ada", runId, decide: () => ({ answer: undefined, after: null }) };
}

/** What happens around the statements of a store. */
interface Hooks {
  beforeSend(statement: SentStatement): Promise<void> | void;
  onAnswer(statement: SentStatement, rows: Record<string, unknown>[]): void;
}

interface Opened {
  readonly schema: string;
  readonly store: RuledStore;
  /** What the store sends. */
  readonly pool: RecordedPool;
  readonly hooks: Hooks;
  readonly admin: pg.Pool;
}

/** A store with the runs `a`, `b` and `c`. */
async function openRecorded(config: pg.PoolConfig = {}): Promise<Opened> {
  const hooks: Hooks = { beforeSend() {}, onAnswer() {} };
  const pool = recordPool(
    openPool(server().url, config),
    (statement) => hooks.beforeSend(statement),
    (statement, rows) => hooks.onAnswer(statement, rows),
  );
  const schema = newSchema();
  const store = await openStore(pool, { schema });
  for (const runId of RUN_IDS) await store.createRun(createOf(runId));
  return { schema, store, pool, hooks, admin: openPool(server().url) };
}

/** The steps of the store's changes since a statement. */
function stepsOf(pool: RecordedPool, from: number): readonly string[] {
  const step = ({ text }: SentStatement): string[] => {
    if (text.includes(SEE)) return ["see"];
    if (text.includes(COMMIT)) return ["commit"];
    if (/^(BEGIN|COMMIT|ROLLBACK)/.test(text)) return [text.replace(/ .*/, "")];
    return text.includes("FOR UPDATE OF r") ? ["lock"] : [];
  };
  return pool.sent.slice(from).flatMap(step);
}

const OPTIMISTIC = ["see", "commit"];
const LOCKED = ["BEGIN", "lock", "see", "commit", "COMMIT"];

describe("a change that conflicts", () => {
  it.each([0, 1, 2, 3])(
    "S21: it locks its run only after three conflicts: after %i it has landed",
    async (conflicts) => {
      const { schema, store, pool, hooks, admin } = await openRecorded();
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
    const { schema, store, pool, admin } = await openRecorded();
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
    const { schema, store, pool, admin } = await openRecorded();
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
    const { schema, store, pool, admin } = await openRecorded({
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
    const { schema, store, hooks, admin } = await openRecorded();
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

describe("a decision that is too old", () => {
  /** Makes what the store sees for the next change look as if it had been seen so long ago. */
  function ageNext(hooks: Hooks, ms: number): void {
    let left = 1;
    hooks.onAnswer = ({ text }, rows) => {
      if (!text.includes(SEE) || left-- <= 0) return;
      for (const row of rows) row["nowMs"] = Number(row["nowMs"]) - ms;
    };
  }

  it.each([
    ["of one run", ["a"]],
    ["of several runs", RUN_IDS],
    ["of a run that does not exist yet", ["new"]],
  ])("S24: a decision %s is made again if it was made more than 5 s ago", async (_, runIds) => {
    const { store, pool, hooks } = await openRecorded();
    const changes = runIds.map((runId): Change<AppendOutcome | null> => {
      if (runId !== "new") return appending(runId, runId);
      const made = { ordinal: 1, revision: 1, phase: null, lastSequence: 0, fence: 0 };
      const rest = { leaseExpiresAtMs: null, topic: null, exclusive: false, metadata: "{}" };
      const state = { runStatus: "queued", extra: '{"createdAtMs":1}' } as const;
      return {
        ownerId: "ada",
        runId,
        decide: ({ head, nowMs, ordinal }) =>
          head === null
            ? {
                answer: null,
                after: {
                  ...{ ...made, ...rest, ...state, ownerId: "ada", runId, ordinal },
                  updatedAtMs: nowMs,
                  dueMs: nowMs,
                },
              }
            : { answer: null },
      };
    });
    const from = pool.sent.length;
    ageNext(hooks, 5_001);
    const startedAt = await store.probe();
    await store.inner.change(changes);
    expect(stepsOf(pool, from)).toEqual([...OPTIMISTIC, ...OPTIMISTIC]);
    const pages = await store.read(runIds.map((runId) => queryOf(runId)));
    for (const page of pages) expect(page?.run.updatedAtMs).toBeGreaterThanOrEqual(startedAt);
    const again = pool.sent.length;
    ageNext(hooks, 4_000);
    await store.inner.change(RUN_IDS.map((runId) => appending(runId, "later")));
    expect(stepsOf(pool, again)).toEqual(OPTIMISTIC);
  });

  it("S24: it is made again if it became too old while it waited for its run", async () => {
    const { schema, store, pool, hooks, admin } = await openRecorded();
    const holder = await begin(admin, `SELECT FROM ${schema}.runs FOR UPDATE`);
    const from = pool.sent.length;
    ageNext(hooks, 4_000);
    const seenBefore = await store.probe();
    const changed = store.inner.change([appending("a", 1)]);
    await expect.poll(() => countWaiting(admin), PATIENT).toBe(1);
    await expect.poll(() => store.probe(), PATIENT).toBeGreaterThan(seenBefore + 1_500);
    await holder.query("COMMIT");
    await changed;
    expect(stepsOf(pool, from)).toEqual([...OPTIMISTIC, ...OPTIMISTIC]);
  });
});

describe("a change that cannot land", () => {
  it("S2: a statement that fails half-way changes nothing", async () => {
    const { schema, store, admin } = await openRecorded();
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
      const { schema, store, admin } = await openRecorded();
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

describe("removals of many events", () => {
  const SIZES = [15_000, 4_999, 4_999, 4_999, 4_999, 4_999];
  const runIds = SIZES.map((_, at) => `run-${at}`);

  async function openLarge(): Promise<Opened> {
    const opened = await openRecorded();
    const { schema, store, admin } = opened;
    for (const runId of runIds) await store.createRun(createOf(runId));
    await store.append(runIds.map((runId) => endOf(runId)));
    await admin.query(
      `UPDATE ${schema}.runs r SET last_sequence = size FROM unnest($1::text[], $2::int[]) AS s (id, size) WHERE r.run_id = s.id`,
      [runIds, SIZES],
    );
    await admin.query(
      `INSERT INTO ${schema}.events (run_key, sequence, event_type, payload, created_at_ms)
       SELECT run_key, n, 'TOKEN', '1', 0 FROM ${schema}.runs, generate_series(2, last_sequence) n`,
    );
    return opened;
  }

  async function countEvents({ admin, schema }: Opened): Promise<number> {
    const { rows } = await admin.query(`SELECT count(*)::int AS count FROM ${schema}.events`);
    return rows[0].count as number;
  }

  it("S12, S17: a statement ends with the run that reaches 10,000 events, since others wait for it", async () => {
    const opened = await openLarge();
    const { store, pool } = opened;
    const from = pool.sent.length;
    await store.inner.change(runIds.map(removing));
    expect(stepsOf(pool, from)).toEqual(["see", "commit", "commit", "commit"]);
    expect(await countEvents(opened)).toBe(0);
    expect((await store.read(runIds.map((runId) => queryOf(runId)))).flat()).toEqual(
      runIds.map(() => null),
    );
  });

  it("S7: a failure after the first statement has removed runs is in doubt, and one of the first is not", async () => {
    const opened = await openLarge();
    const { store, hooks } = opened;
    for (const [allowed, ambiguous] of [
      [0, false],
      [1, true],
    ] as const) {
      let left: number = allowed;
      hooks.beforeSend = ({ text }) => {
        if (text.includes(COMMIT) && left-- <= 0)
          throw Object.assign(new Error("cancelled"), { code: "57014" });
      };
      const failed = store.inner.change(runIds.map(removing));
      await expect(failed).rejects.toMatchObject({ code: "store_unavailable", ambiguous });
    }
    expect(await countEvents(opened)).toBe(5 * 4_999);
  });
});
