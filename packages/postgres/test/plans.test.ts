import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPostgresStore, printMigrations } from "../src/index.ts";
import type { RunAppend } from "../src/plan-statement-batch.ts";
import { encodeEach } from "../src/sql/append-each.ts";
import { encodeAppend } from "../src/sql/append-to-one.ts";
import { encodeAppends } from "../src/sql/append.ts";
import { createStatements } from "../src/statements.ts";
import type { Statements } from "../src/sql/statements.ts";
import { appendOf } from "@tm/run-events-test-servers/requests";

const EVENTS = 200_000;
const RUNS = 20_000;
/** The events of every run but the first. */
const SHORT = 5;
/** A run finishes a day, since 1970. */
const DAY_MS = 86_400_000;
/** More than the few rows of a page, but far fewer than a scan of the run or of the runs would touch. */
const MOST_ROWS = 400;

interface PlanNode {
  readonly "Node Type": string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Join Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** How many rows a plan has read. */
function rowsOf(node: PlanNode): number {
  const removed =
    (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Join Filter"] ?? 0);
  const own = (node["Actual Rows"] + removed) * node["Actual Loops"];
  return own + (node.Plans ?? []).reduce((sum, child) => sum + rowsOf(child), 0);
}

type Value = string | number | boolean | null;
type Literal = Value | readonly Value[];

/** A value or an array of values as a literal. The values of these tests need no escaping. */
function encodeLiteral(value: Literal): string {
  if (value === null) return "NULL";
  if (typeof value !== "object") return `'${value}'`;
  return `'{${value.map((item) => (item === null ? "NULL" : String(item))).join(",")}}'`;
}

/** Explains a statement with values, and rolls its changes back. */
async function explain(client: pg.Client, statement: string, mode: string): Promise<PlanNode> {
  await client.query(`SET plan_cache_mode = ${mode}`);
  await client.query("BEGIN");
  const { rows } = await client.query<{
    readonly "QUERY PLAN": readonly [{ readonly Plan: PlanNode }];
  }>(`EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`);
  await client.query("ROLLBACK");
  const plan = rows[0]?.["QUERY PLAN"][0].Plan;
  if (plan === undefined) throw new Error("There is no plan.");
  return plan;
}

function runAppend(runId: string): RunAppend {
  return {
    runId,
    requests: [{ index: 0, request: appendOf(runId, true, { idempotencyKey: "new" }) }],
  };
}

/** The values for one event of each run. */
function valuesFor(name: "append" | "appendEach", runIds: readonly string[]): readonly Literal[] {
  const encode = { append: encodeAppends, appendEach: encodeEach }[name];
  return encode(runIds.map(runAppend)) as readonly Literal[];
}

describe("on a long run among many, with statistics", () => {
  let server: PostgresServer;
  let client: pg.Client;
  let sql: Statements;
  beforeAll(async () => {
    server = await startPostgres();
    const pool = new pg.Pool({ connectionString: server.url });
    const store = createPostgresStore(pool);
    await store.migrate();
    await store.close();
    await pool.end();
    client = new pg.Client({ connectionString: server.url });
    await client.connect();
    sql = createStatements("run_events");
    // The other runs make a run seem short, so that a planner tends to scan it.
    await client.query(
      `INSERT INTO ${sql.runs} (run_id, owner_id, run_status, phase, last_sequence, created_at_ms, updated_at_ms, metadata)
       SELECT 'run-' || n, 'ada', 'running', '"plan"', CASE n WHEN 1 THEN ${EVENTS} ELSE ${SHORT} END, 0, 0, 'null'
       FROM generate_series(1, ${RUNS}) n`,
    );
    await client.query(
      `INSERT INTO ${sql.events} (run_key, sequence, event_type, payload, created_at_ms, idempotency_key, key_events, key_status, key_phase)
       SELECT run_key, n, 'TOKEN', '"text"', 0, run_id || '-' || n, 1, 'running', '"plan"'
       FROM ${sql.runs}, generate_series(1, last_sequence) n`,
    );
    // Some runs have finished, some are claimed, some leases have expired.
    await client.query(
      `UPDATE ${sql.runs} SET run_status = 'completed', finished_at_ms = run_key * ${DAY_MS} WHERE run_key % 4 = 0`,
    );
    await client.query(
      `UPDATE ${sql.runs} SET fence = 1, lease_expires_at_ms = run_key * CASE run_key % 8 WHEN 3 THEN 1 ELSE 1e9 END
       WHERE run_key % 4 = 3`,
    );
    // A topic of many runs, one of few, and one whose many runs have all finished.
    await client.query(
      `UPDATE ${sql.runs} SET topic = CASE WHEN run_key % 4 = 0 THEN 'done' WHEN run_key % 1000 = 1 THEN 'rare' ELSE 'often' END`,
    );
    await client.query("VACUUM ANALYZE");
  });
  afterAll(async () => {
    await client.end();
    await server.close();
  });

  const several = Array.from({ length: 16 }, (_, at) => `run-${at * 1_200 + 1}`);
  it.each<{
    readonly name: keyof Statements;
    readonly values: readonly Literal[];
  }>([
    {
      name: "selectReceipts",
      values: [
        ["run-1", "run-1", "run-2"],
        ["run-1-900", "none", "run-2-1"],
      ],
    },
    { name: "read", values: [["run-1"], [null], [EVENTS / 2], [10], [1_000_000], [false]] },
    { name: "read", values: [["run-1"], [null], [EVENTS / 2], [10], [1_000_000], [true]] },
    { name: "selectRun", values: ["run-1"] },
    { name: "createRun", values: ["run-0", "ada", "running", null, "null", "tea", false] },
    { name: "createRun", values: ["new-1", "ada", "queued", null, "null", "tea", true] },
    {
      name: "createClaimed",
      values: ["new-2", "ada", "queued", null, "null", "tea", true, 1_000, "key", "w-1"],
    },
    { name: "deleteRun", values: ["run-2", "ada"] },
    { name: "claim", values: ["run-2", "ada", 1_000, null, null] },
    { name: "claim", values: ["run-7", "ada", 1_000, "key", "w-1"] },
    { name: "renew", values: ["run-7", "ada", 1_000, 1] },
    { name: "release", values: ["run-7", "ada", 1] },
    { name: "listExpired", values: [0, 50] },
    { name: "listIdle", values: ["running", 0, 50] },
    { name: "listIdle", values: ["queued", 3_600_000, 50] },
    { name: "purge", values: [0, 10] },
    { name: "purge", values: [Date.now() - 20 * DAY_MS, 10_000] },
    { name: "purge", values: [Date.now(), 100] },
    { name: "purgeOne", values: [0, 1] },
    { name: "probe", values: [] },
    { name: "selectPositions", values: [["run-1", "run-9"]] },
    { name: "listRuns", values: ["ada", RUNS / 2, 50, true] },
    { name: "listRuns", values: ["ada", RUNS / 2, 50, false] },
    { name: "listStatus", values: ["ada", RUNS / 2, 50, true, "running"] },
    { name: "listLive", values: ["ada", RUNS / 2, 50, true, "queued", "running", "waiting"] },
    { name: "listTopic", values: ["ada", RUNS / 2, 50, true, "rare"] },
    { name: "listTopic", values: ["ada", RUNS / 2, 50, true, "often"] },
    { name: "listTopicStatus", values: ["ada", RUNS, 50, true, "often", "failed"] },
    {
      name: "listTopicLive",
      values: ["ada", RUNS, 50, true, "rare", "queued", "running", "waiting"],
    },
    {
      name: "listTopicLive",
      values: ["ada", RUNS, 50, true, "done", "queued", "running", "waiting"],
    },
    { name: "append", values: valuesFor("append", ["run-1"]) },
    { name: "appendEach", values: valuesFor("appendEach", ["run-1"]) },
    { name: "appendToOne", values: encodeAppend(runAppend("run-1")) as readonly Literal[] },
    { name: "append", values: valuesFor("append", several) },
    { name: "appendEach", values: valuesFor("appendEach", several) },
  ])("S12: $name reads few rows", async ({ name, values }) => {
    await client.query(`PREPARE statement AS ${sql[name]}`);
    try {
      for (const mode of ["force_custom_plan", "force_generic_plan"]) {
        const literals = values.map(encodeLiteral).join();
        const execute = `EXECUTE statement ${literals === "" ? "" : `(${literals})`}`;
        const plan = await explain(client, execute, mode);
        expect(rowsOf(plan), `${mode}: ${JSON.stringify(plan)}`).toBeLessThan(MOST_ROWS);
      }
    } finally {
      await client.query("DEALLOCATE statement");
    }
  });
});

describe("on few runs, with statistics", () => {
  const FEW = 64;
  /** The rows of one scan of the runs in several nodes of the plan; a scan for each run would be 64 times 64 rows. */
  const MOST_ROWS_A_RUN = 20;

  it.each(["append", "appendEach"] as const)(
    "S12: %s scans the runs once at most, not once for each run of the group",
    async (name) => {
      const server = await startPostgres();
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      try {
        const sql = createStatements("run_events");
        await client.query(printMigrations());
        await client.query(
          `INSERT INTO ${sql.runs} (run_id, owner_id, run_status, last_sequence, created_at_ms, updated_at_ms, metadata)
         SELECT 'run-' || n, 'ada', 'running', 0, 0, 0, 'null' FROM generate_series(1, ${FEW}) n`,
        );
        await client.query("VACUUM ANALYZE");
        await client.query(`PREPARE statement AS ${sql[name]}`);
        const all = Array.from({ length: FEW }, (_, at) => `run-${at + 1}`);
        const execute = `EXECUTE statement (${valuesFor(name, all).map(encodeLiteral).join()})`;
        for (const mode of ["force_custom_plan", "force_generic_plan"]) {
          const plan = await explain(client, execute, mode);
          expect(plan["Actual Rows"]).toBe(FEW);
          expect(rowsOf(plan), `${mode}: ${JSON.stringify(plan)}`).toBeLessThan(
            FEW * MOST_ROWS_A_RUN,
          );
        }
      } finally {
        await client.end();
        await server.close();
      }
    },
  );
});
