import { type Change, type Commit, type Head, type Plain } from "@tm/run-events-core/store";
import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planPlains } from "../src/plan-plains.ts";
import { printMigrations } from "../src/index.ts";
import type { Query } from "../src/query.ts";
import { encodeMany, encodeOne } from "../src/sql/append.ts";
import { commitAll } from "../src/sql/commit.ts";
import { listRuns } from "../src/sql/list.ts";
import { lockRuns } from "../src/sql/lock.ts";
import { selectPositions } from "../src/sql/positions.ts";
import { readPages } from "../src/sql/read.ts";
import { seeRuns } from "../src/sql/see.ts";
import type { Statements } from "../src/sql/statements.ts";
import { createStatements } from "../src/statements.ts";
import { tablesOf } from "../src/tables.ts";
import { plainOf } from "./plain-of.ts";

const EVENTS = 200_000;
const RUNS = 20_000;
/** The events of every run but the first. */
const SHORT = 5;
/** A run finishes a day, since 1970. */
const DAY_MS = 86_400_000;
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

/** The mark of a joined append. */
const MARK = "mark";

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
  const { rows } = await explained.finally(() => client.query("ROLLBACK"));
  const plan = rows[0]?.["QUERY PLAN"][0].Plan;
  if (plan === undefined) throw new Error("There is no plan.");
  return plan;
}

const sql: Statements = createStatements("run_events");

/** A statement as the store sends it. */
interface Sent {
  readonly text: string;
  readonly values: readonly Literal[];
}

/** What a call sends first. */
async function sentBy(call: (query: Query) => Promise<unknown>): Promise<Sent> {
  const sent = Promise.withResolvers<Sent>();
  const query: Query = (text, values = []) => {
    sent.resolve({ text, values: values as Literal[] });
    return Promise.resolve([]);
  };
  const answer = call(query);
  const first = await sent.promise;
  await answer;
  return first;
}

function nameOf(runId: string): { readonly ownerId: string; readonly runId: string } {
  return { ownerId: "ada", runId };
}

/** The plain append of one event with a key of its own to each run. */
function appended(runIds: readonly string[]): Sent {
  const runs = planPlains(
    runIds.map((runId): Plain => plainOf(runId, true, { idempotencyKey: "new" })),
  );
  const [one] = runs;
  return one !== undefined && runs.length === 1
    ? { text: sql.appendToOne, values: encodeOne(one) as Literal[] }
    : { text: sql.append, values: encodeMany(runs) as Literal[] };
}

function seen(runId: string): Promise<Sent> {
  const keys = [`${runId}-900`, "none"];
  const change: Change<void> = {
    ...{ ...nameOf(runId), keys, topic: "rare", wantsMetadata: true },
    decide: () => ({ answer: undefined }),
  };
  return sentBy((query) => seeRuns(query, sql, [change]));
}

/** The commit of a decision about each run: it appends an event, removes the run, or makes it. */
async function committed(
  runIds: readonly string[],
  does: "append" | "remove" | "make",
  isHeld = false,
): Promise<Sent> {
  const commits = runIds.map((runId): Commit => {
    const ordinal = Number(runId.replace("run-", ""));
    const head: Head = {
      ...nameOf(runId),
      ...{ ordinal, revision: 0, runStatus: "running", phase: null, fence: 0 },
      lastSequence: does === "make" ? 0 : runId === "run-1" ? EVENTS : SHORT,
      ...{ updatedAtMs: 0, leaseExpiresAtMs: null, dueMs: 0, extra: "{}", exclusive: true },
      topic: does === "make" ? "new" : null,
    };
    const isNew = does === "make";
    const nowMs = Date.now() + 1_000_000;
    const shown = { receipts: new Map(), holder: null, nowMs, ordinal };
    const events = [{ eventType: "TOKEN", payload: "1", phase: null }];
    const after = { ...head, revision: 1, lastSequence: head.lastSequence + 1, metadata: "{}" };
    return {
      change: {
        ...{ ...nameOf(runId), topic: head.topic },
        decide: () => ({ answer: undefined }),
      },
      seen: { ...shown, head: isNew ? null : head },
      decision: {
        answer: undefined,
        ...(does === "remove" ? { after: null } : { after, events }),
      },
    };
  });
  return sentBy((query) => commitAll(query, sql, commits, isHeld));
}

function listed(asked: Parameters<typeof listRuns>[2]): Promise<Sent> {
  return sentBy((query) => listRuns(query, sql, asked));
}

/** A page of an owner's runs. */
function page(
  topic: string | null,
  runStatus: "running" | "failed" | "live" | null,
  before = RUNS / 2,
): Promise<Sent> {
  return listed({ ownerId: "ada", topic, runStatus, before, limit: 50 });
}

const several = Array.from({ length: 16 }, (_, at) => `run-${at * 1_200 + 1}`);
/** The shorter ones. */
const short = several.slice(1);

const SENT: readonly (readonly [name: string, sent: () => Sent | Promise<Sent>])[] = [
  ["an append to one run", () => appended(["run-1"])],
  ["an append to several runs", () => appended(several)],
  ["what a decision sees", () => seen("run-1")],
  ["what a decision sees of a run that does not exist", () => seen("run-0")],
  ["a commit about one run", () => committed(["run-1"], "append")],
  ["a commit about several runs", () => committed(several.slice(0, 8), "append")],
  ["a commit about several locked runs", () => committed(several.slice(0, 8), "append", true)],
  ["a removal", () => committed(["run-9"], "remove")],
  ["several removals", () => committed(short, "remove")],
  ["a creation", () => committed(["run-90001"], "make")],
  ["several creations", () => committed(["run-90001", "run-90002"], "make")],
  ["a lock", () => sentBy((query) => lockRuns(query, sql, several.map(nameOf)))],
  ["a joined lock", () => ({ text: sql.lockJoined, values: ["ada", "run-1", MARK, ""] })],
  [
    "what a joined decision sees",
    async () => {
      const { values } = await seen("run-1");
      return { text: sql.seeJoined, values: [...values, MARK] };
    },
  ],
  [
    "a joined commit",
    async () => {
      const { values } = await committed(["run-1"], "append");
      return { text: sql.saveJoined, values: [...values, MARK] };
    },
  ],
  [
    "a page of a run",
    () =>
      sentBy((query) =>
        readPages(query, sql, [
          { ...nameOf("run-1"), since: EVENTS / 2, limit: 10, maxBytes: 1_000_000 },
        ]),
      ),
  ],
  [
    "the positions of runs",
    () => sentBy((query) => selectPositions(query, sql, [nameOf("run-9")])),
  ],
  ["the runs of an owner", () => page(null, null)],
  ["the runs in a status", () => page(null, "running")],
  ["the live runs", () => page(null, "live")],
  ["the runs of a rare topic", () => page("rare", null)],
  ["the runs of a topic", () => page("often", null)],
  ["the runs of a topic in a status", () => page("often", "failed", RUNS)],
  ["the live runs of a rare topic", () => page("rare", "live", RUNS)],
  ["the live runs of a topic that has none", () => page("done", "live", RUNS)],
  ["the expired leases", () => listed({ due: "leased", forMs: 0, limit: 50 })],
  ["the runs without a worker", () => listed({ due: "running", forMs: 0, limit: 50 })],
  ["the queued runs", () => listed({ due: "queued", forMs: 3_600_000, limit: 50 })],
  [
    "the finished runs",
    () => listed({ due: "finished", forMs: Date.now() - 20 * DAY_MS, limit: 9 }),
  ],
  ["a probe", () => ({ text: sql.probe, values: [] })],
];

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

  it("S12: every statement of the store is among these, but for the one that notifies", async () => {
    const texts = new Set(
      (await Promise.all(SENT.map(([, sent]) => sent()))).map(({ text }) => text),
    );
    const tables = Object.keys(tablesOf("run_events"));
    const missing = Object.entries(sql).filter(
      ([name, text]) => !tables.includes(name) && !texts.has(text),
    );
    expect(missing.map(([name]) => name)).toEqual(["notify"]);
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
