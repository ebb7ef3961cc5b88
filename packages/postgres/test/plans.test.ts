import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPostgresStore } from "../src/index.ts";
import { createStatements, type Statements } from "../src/statements.ts";

const EVENTS = 200_000;
const RUNS = 20_000;
/** The events of every run but the first. */
const SHORT = 5;
/** More than a few rows of a page, far below what a walk through the run or the runs would touch. */
const MOST_ROWS = 400;

interface PlanNode {
  readonly "Node Type": string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Join Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** How many rows a plan has looked at. */
function rowsOf(node: PlanNode): number {
  const removed =
    (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Join Filter"] ?? 0);
  const own = (node["Actual Rows"] + removed) * node["Actual Loops"];
  return own + (node.Plans ?? []).reduce((sum, child) => sum + rowsOf(child), 0);
}

type Value = string | number | boolean | null;

/** A value or an array of them as a literal: those of these tests need no escaping. */
function encodeLiteral(value: Value | readonly Value[]): string {
  if (value === null) return "NULL";
  if (typeof value !== "object") return `'${value}'`;
  return `'{${value.map((item) => (item === null ? "NULL" : String(item))).join(",")}}'`;
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
    // The other runs make a run look short, so that a planner is tempted to walk through it.
    await client.query(
      `INSERT INTO ${sql.runs} (run_id, owner_id, run_status, phase, last_sequence, created_at_ms, updated_at_ms, metadata)
       SELECT 'run-' || n, 'ada', 'running', '"plan"', CASE n WHEN 1 THEN ${EVENTS} ELSE ${SHORT} END, 0, 0, 'null'
       FROM generate_series(1, ${RUNS}) n`,
    );
    await client.query(
      `INSERT INTO ${sql.events} (run_key, sequence, event_type, phase, payload, created_at_ms, idempotency_key, key_events)
       SELECT run_key, n, 'TOKEN', CASE n WHEN 1 THEN '"plan"' END, '"text"', 0, run_id || '-' || n, 1
       FROM ${sql.runs}, generate_series(1, last_sequence) n`,
    );
    await client.query("VACUUM ANALYZE");
  });
  afterAll(async () => {
    await client.end();
    await server.close();
  });

  const run: readonly Value[] = ["run-1", null, null, "running", null, 1, false];
  const event: readonly Value[] = ["TOKEN", null, "true", "new", 1];
  const several = Array.from({ length: 16 }, (_, at) => `run-${at * 1_200 + 1}`);
  it.each<{
    readonly name: keyof Statements;
    readonly values: readonly (Value | readonly Value[])[];
  }>([
    {
      name: "selectReceipts",
      values: [
        ["run-1", "run-1", "run-2"],
        ["run-1-900", "none", "run-2-1"],
      ],
    },
    { name: "read", values: [["run-1"], [null], [EVENTS / 2], [10], [1_000_000]] },
    { name: "selectRun", values: ["run-1"] },
    { name: "createRun", values: ["run-0", "ada", "running", null, "null"] },
    { name: "deleteRun", values: ["run-2", "ada"] },
    { name: "selectHeads", values: [["run-1", "run-9"]] },
    { name: "listRuns", values: ["ada", RUNS / 2, 50] },
    { name: "listRunsByStatus", values: ["ada", RUNS / 2, 50, "running"] },
    { name: "append", values: [...run, 1, 1, ...event].map((value) => [value]) },
    { name: "appendToOne", values: [...run, ...event.map((value) => [value])] },
    {
      name: "append",
      values: [
        several,
        ...run.slice(1).map((value) => several.map(() => value)),
        several.map((_, at) => at + 1),
        several.map(() => 1),
        ...event.map((value) => several.map(() => value)),
      ],
    },
  ])("S12: $name looks at few rows", async ({ name, values }) => {
    await client.query(`PREPARE statement AS ${sql[name]}`);
    try {
      for (const mode of ["force_custom_plan", "force_generic_plan"]) {
        await client.query(`SET plan_cache_mode = ${mode}`);
        await client.query("BEGIN");
        const { rows } = await client.query<{
          readonly "QUERY PLAN": readonly [{ Plan: PlanNode }];
        }>(
          `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE statement (${values.map(encodeLiteral).join()})`,
        );
        await client.query("ROLLBACK");
        const plan = rows[0]?.["QUERY PLAN"][0].Plan;
        expect(plan && rowsOf(plan), `${mode}: ${JSON.stringify(plan)}`).toBeLessThan(MOST_ROWS);
      }
    } finally {
      await client.query("DEALLOCATE statement");
    }
  });
});
