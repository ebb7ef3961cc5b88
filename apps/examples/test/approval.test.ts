import { createRunEvents, type OwnedRuns } from "@tm/run-events-core";
import { createPostgresStore } from "@tm/run-events-postgres";
import { startPostgres } from "@tm/run-events-test-servers";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Edit } from "./edited-folder.ts";
import { openRuns } from "./open-runs.ts";
import { startWorker, type WorkerProcess } from "./start-worker.ts";
import { startTools, type ToolServer } from "./tool-server.ts";
import { wholeLog } from "./whole-log.ts";

/** The recipe of one run, with the task that asks, and a short lease. */
const ASKING: readonly Edit[] = [
  ['import { agent } from "./agent.mjs";', 'import { approval as agent } from "./approval.mjs";'],
  ["leaseMs: 30_000", "leaseMs: 2_000"],
];
/** The process stays when its work is over, until it is killed. */
const STAYING: Edit = [
  "console.log(await finish(runId));",
  "console.log(await finish(runId)); await setTimeout(300_000);",
];
/** The task asks, and its process is killed before it parks. */
const STUCK: Edit = [
  "(run) => agent(ada, run)",
  '(run) => agent(ada, { ...run, runId: run.runId, park: () => (console.log("asked"), setTimeout(300_000)) })',
];
const ON_POSTGRES: readonly Edit[] = [
  [
    'import { createSqliteStore } from "@tm/run-events-sqlite";',
    'import { createPostgresStore } from "@tm/run-events-postgres";',
  ],
  ['import Database from "better-sqlite3";', 'import pg from "pg";'],
  [
    'createSqliteStore(new Database(process.env.DATABASE ?? "runs.db"))',
    "createPostgresStore(new pg.Pool({ connectionString: process.env.DATABASE }))",
  ],
];

interface World {
  /** The app's other server: this process. */
  readonly runs: OwnedRuns;
  readonly tools: ToolServer;
  work(...edits: readonly Edit[]): Promise<WorkerProcess>;
}

async function openSqlite(): Promise<World> {
  const { path, runs } = await openRuns("approval");
  return worldOf(runs, path, []);
}

async function openPostgres(): Promise<World> {
  const server = await startPostgres();
  const pool = new pg.Pool({ connectionString: server.url });
  const store = createPostgresStore(pool);
  await store.migrate();
  const runs = createRunEvents({ store });
  onTestFinished(async () => {
    await runs.close();
    await pool.end();
    await server.close();
  });
  return worldOf(runs.as("ada"), server.url, ON_POSTGRES);
}

async function worldOf(runs: OwnedRuns, database: string, own: readonly Edit[]): Promise<World> {
  const tools = await startTools();
  const env = { DATABASE: database, TOOLS_URL: tools.url };
  return {
    runs,
    tools,
    work: (...edits) =>
      startWorker("resume.mjs", { args: ["trip"], env, edits: [...ASKING, ...own, ...edits] }),
  };
}

/** Resolves when the run waits. */
async function waits(runs: OwnedRuns): Promise<void> {
  await expect.poll(async () => (await runs.list({ status: "waiting" })).runs.length).toBe(1);
}

describe.each([
  ["SQLite", openSqlite],
  ["Postgres", openPostgres],
])("an agent that asks a person, on %s", (_, open) => {
  it("W40: it parks, its process is killed, another server takes the answer, and the next worker goes on", async () => {
    const { runs, tools, work } = await open();
    const first = await work(STAYING);
    await first.prints("parked: true");
    await first.end("SIGKILL");
    expect(await runs.get("trip")).toMatchObject({ runStatus: "waiting", lastSequence: 1 });
    const answer = { idempotencyKey: "answer" };
    await runs.input("trip", { approved: true }, answer);
    await runs.input("trip", { approved: true }, answer);
    const second = await work();
    expect(await second.until(wholeLog(runs, "trip"))).toEqual([
      "INPUT_REQUESTED",
      "INPUT_RECEIVED",
      "RUN_COMPLETED",
    ]);
    expect(tools.calls).toEqual([{ tool: "mail", key: "trip mail" }]);
  });

  it("W40: a process that is killed before it parks loses nothing: the next worker parks, or has the answer", async () => {
    const { runs, tools, work } = await open();
    const first = await work(STUCK);
    await first.until(waits(runs));
    await first.prints("asked");
    await first.end("SIGKILL");
    const second = await work();
    await second.prints("parked: true");
    await runs.input("trip", { approved: false });
    const third = await work();
    expect(await third.until(wholeLog(runs, "trip"))).toEqual([
      "INPUT_REQUESTED",
      "INPUT_RECEIVED",
      "RUN_COMPLETED",
    ]);
    expect(tools.calls).toEqual([]);
  });
});
