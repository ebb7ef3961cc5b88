import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { printMigrations } from "../src/index.ts";
import { tablesOf } from "../src/tables.ts";
import {
  appended,
  committed,
  DAY_MS,
  EVENTS,
  type Literal,
  MARK,
  RUNS,
  SENT,
  type Sent,
  SHORT,
  sql,
} from "./sent-statements.ts";

/** More than the few rows of a page, but far fewer than a scan of the run or of the runs would touch. */
const MOST_ROWS = 800;

interface PlanNode {
  readonly "Node Type": string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Join Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** The number of rows that a plan has read. */
function rowsOf(node: PlanNode): number {
  const removed =
    (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Join Filter"] ?? 0);
  const own = (node["Actual Rows"] + removed) * node["Actual Loops"];
  return own + (node.Plans ?? []).reduce((sum, child) => sum + rowsOf(child), 0);
}

/** A value or an array of values as a literal. The values of these tests need no escaping. */
function encodeLiteral(value: Literal): string {
  if (value === null) return "NULL";
  if (typeof value !== "object") return `'${value}'`;
  return `'{${value.map((item) => (item === null ? "NULL" : String(item))).join(",")}}'`;
}

function executeOf(values: readonly Literal[]): string {
  return `EXECUTE statement ${values.length === 0 ? "" : `(${values.map(encodeLiteral).join()})`}`;
}

/** Explains a statement with values, and rolls its changes back. */
async function explain(client: pg.Client, statement: string, mode: string): Promise<PlanNode> {
  await client.query(`SET plan_cache_mode = ${mode}`);
  await client.query("BEGIN");
  await client.query("SELECT set_config('run_events.joined', $1, true)", [MARK]);
  const explained = client.query<{
    readonly "QUERY PLAN": readonly [{ readonly Plan: PlanNode }];
  }>(`EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`);
  const [answer] = await Promise.allSettled([explained]);
  await client.query("ROLLBACK");
  if (answer.status === "rejected") throw answer.reason;
  const { rows } = answer.value;
  const plan = rows[0]?.["QUERY PLAN"][0].Plan;
  if (plan === undefined) throw new Error("There is no plan.");
  return plan;
}

describe("on a long run among many, with statistics", () => {
  let server: PostgresServer;
  let client: pg.Client;
  beforeAll(async () => {
    server = await startPostgres();
    client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query(printMigrations());
    // The other runs make a run seem short, so that a planner tends to scan it. Some have finished, some are claimed, some leases have
    // expired. There is a topic of many runs, one of few, and one whose many runs have all finished.
    await client.query(
      `INSERT INTO ${sql.runs} (run_key, owner_id, run_id, topic, exclusive, revision, run_status, phase, last_sequence, updated_at_ms,
         fence, lease_expires_at_ms, due_kind, due_ms, extra, metadata)
       SELECT n, 'ada', 'run-' || n, CASE WHEN n % 4 = 0 THEN 'done' WHEN n % 1000 = 1 THEN 'rare' ELSE 'often' END, false, 0,
         CASE WHEN n % 4 = 0 THEN 'completed' ELSE 'running' END, '"plan"', CASE n WHEN 1 THEN ${EVENTS} ELSE ${SHORT} END, 0,
         CASE WHEN n % 4 = 3 THEN 1 ELSE 0 END, CASE WHEN n % 4 = 3 THEN n * CASE n % 8 WHEN 3 THEN 1 ELSE 1e9 END END,
         CASE n % 4 WHEN 0 THEN 'finished' WHEN 3 THEN 'leased' ELSE 'running' END,
         CASE n % 4 WHEN 0 THEN n * ${DAY_MS} WHEN 3 THEN n * CASE n % 8 WHEN 3 THEN 1 ELSE 1e9 END ELSE n END, '{}', 'null'
       FROM generate_series(1::bigint, ${RUNS}) n`,
    );
    await client.query(
      `INSERT INTO ${sql.events} (run_key, sequence, event_type, payload, created_at_ms, idempotency_key, key_events, key_status, key_phase)
       SELECT run_key, n, 'TOKEN', '"text"', 0, run_id || '-' || n, 1, 'running', '"plan"'
       FROM ${sql.runs}, generate_series(1, last_sequence) n`,
    );
    await client.query("VACUUM ANALYZE");
  });
  afterAll(async () => {
    await client.end();
    await server.close();
  });

  it.each(SENT)("S12: %s reads few rows", async (_, sent) => {
    const { text, values } = await sent();
    await client.query(`PREPARE statement AS ${text}`);
    try {
      for (const mode of ["force_custom_plan", "force_generic_plan"]) {
        const plan = await explain(client, executeOf(values), mode);
        expect(rowsOf(plan), `${mode}: ${JSON.stringify(plan)}`).toBeLessThan(MOST_ROWS);
      }
    } finally {
      await client.query("DEALLOCATE statement");
    }
  });

  it("S12: every statement of the store is among these, but for those that notify and that check the tables", async () => {
    const texts = new Set(
      (await Promise.all(SENT.map(async ([, sent]) => sent()))).map(({ text }) => text),
    );
    const tables = Object.keys(tablesOf("run_events"));
    const missing = Object.entries(sql).filter(
      ([name, text]) => !tables.includes(name) && !texts.has(text),
    );
    expect(missing.map(([name]) => name)).toEqual(["notify", "needs"]);
  });
});

describe("on few runs, with statistics", () => {
  const FEW = 64;
  /** The rows of one scan of the runs in several nodes of the plan; a scan for each run would be 64 times 64 rows. */
  const MOST_ROWS_A_RUN = 30;
  const all = Array.from({ length: FEW }, (_, at) => `run-${at + 1}`);

  it.each<readonly [string, () => Sent | Promise<Sent>]>([
    ["an append", () => appended(all)],
    ["a commit", () => committed(all, "append")],
  ])("S12: %s scans the runs once at most, not once for each run of the group", async (_, sent) => {
    const server = await startPostgres();
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      await client.query(printMigrations());
      await client.query(
        `INSERT INTO ${sql.runs} (run_key, owner_id, run_id, exclusive, revision, run_status, last_sequence, updated_at_ms, fence, due_kind,
           due_ms, extra, metadata)
         SELECT n, 'ada', 'run-' || n, false, 0, 'running', 0, 0, 0, 'running', 0, '{}', 'null' FROM generate_series(1, ${FEW}) n`,
      );
      await client.query("VACUUM ANALYZE");
      const { text, values } = await sent();
      await client.query(`PREPARE statement AS ${text}`);
      for (const mode of ["force_custom_plan", "force_generic_plan"]) {
        const plan = await explain(client, executeOf(values), mode);
        expect(plan["Actual Rows"]).toBe(FEW);
        expect(rowsOf(plan), `${mode}: ${JSON.stringify(plan)}`).toBeLessThan(
          FEW * MOST_ROWS_A_RUN,
        );
      }
    } finally {
      await client.end();
      await server.close();
    }
  });
});
