import { describe, expect, it, onTestFinished } from "vitest";
import { createStatements, type Statements } from "../src/statements.ts";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

const NAMES: readonly Exclude<keyof Statements, "schema" | "runs" | "events" | "migrations">[] = [
  "append",
  "appendToOne",
  "selectReceipts",
  "read",
  "selectRun",
  "createRun",
  "deleteRun",
  "listRuns",
  "listRunsByStatus",
  "selectHeads",
  "notify",
];

describe("a statement", () => {
  it("S12: has an index for all that it looks up, and lists come in an index's order", async () => {
    const schema = newSchema();
    const pool = openPool(server().url);
    await openStore(pool, { schema });
    const client = await pool.connect();
    onTestFinished(() => client.release(true));
    // Of small tables the planner would read every row.
    for (const setting of ["seqscan", "bitmapscan", "hashjoin", "mergejoin"]) {
      await client.query(`SET enable_${setting} = off`);
    }
    const statements = createStatements(schema);
    const used = new Set<string>();
    for (const name of NAMES) {
      const { rows } = await client.query<{ readonly "QUERY PLAN": string }>(
        `EXPLAIN (GENERIC_PLAN) ${statements[name]}`,
      );
      const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
      expect(plan, name).not.toMatch(/Seq Scan/);
      for (const [, index] of plan.matchAll(/using (\w+)/g)) used.add(index ?? "");
      if (name.startsWith("list")) expect(plan, name).not.toMatch(/Sort|Filter/);
    }
    expect([...used].toSorted()).toEqual([
      "events_by_key",
      "events_by_phase",
      "events_pkey",
      "runs_by_owner",
      "runs_by_status",
      "runs_pkey",
      "runs_run_id_key",
    ]);
  });
});
