import type { RunEvents } from "@tm/run-events-core";
import { startPostgres } from "@tm/run-events-test-servers";
import type { Pool } from "pg";
import type { PgBoss } from "pg-boss";
import { expect, it, vi } from "vitest";
import { describeQueue, type QueueApp } from "./describe-queue.ts";

interface QueueModule {
  readonly pool: Pool;
  readonly runs: RunEvents;
  readonly boss: PgBoss;
  start(runId: string, ownerId: string, trip: unknown): Promise<void>;
  answer(runId: string, ownerId: string, key: string, payload: unknown): Promise<void>;
}

const TRIP = { to: "Rome" };
let recipe: QueueModule;

async function open(): Promise<QueueApp> {
  const server = await startPostgres();
  vi.stubEnv("DATABASE_URL", server.url);
  const file = "../src/pg-boss/queue.mjs";
  recipe = (await import(file)) as QueueModule;
  const { pool, runs, boss, start, answer } = recipe;
  const findJobs = (runId: string): ReturnType<PgBoss["findJobs"]> =>
    boss.findJobs("agents", { data: { runId } });
  return {
    runs: runs.as("ada"),
    env: { DATABASE_URL: server.url },
    start: (runId) => start(runId, "ada", TRIP),
    answer: (runId, payload) => answer(runId, "ada", "answer", payload),
    async startOnce(runId) {
      await start(runId, "ada", TRIP);
      const [job] = await findJobs(runId);
      await boss.update("agents", undefined, { id: job?.id ?? "", retryLimit: 0 });
    },
    jobStates: async (runId) => (await findJobs(runId)).map(({ state }) => state),
    async deliveries(runId) {
      const jobs = await findJobs(runId);
      return jobs.reduce((sum, { retryCount }) => sum + retryCount + 1, 0);
    },
    async dueAt(runId) {
      const job = (await findJobs(runId)).find(({ state }) => state === "created");
      const dueAt = job?.startAfter.getTime() ?? 0;
      return dueAt > Date.now() ? dueAt : null;
    },
    async bringForward(runId) {
      const update =
        "UPDATE pgboss.job SET start_after = now() WHERE state = 'created' AND data = $1";
      await pool.query(update, [{ ownerId: "ada", runId }]);
    },
    async findDead() {
      // As if an hour had passed.
      await pool.query("UPDATE pgboss.job SET heartbeat_on = heartbeat_on - interval '1 hour'");
      await pool.query("UPDATE pgboss.queue SET monitor_on = NULL, monitor_claim_on = NULL");
      await boss.supervise("agents");
    },
    async close() {
      await boss.stop();
      await runs.close();
      await pool.end();
      await server.close();
    },
  };
}

const POLLING = "includeMetadata: true";
const trial = {
  folder: "pg-boss",
  open,
  before: ["TRIP_ORDERED"],
  hasty: [[POLLING, `${POLLING}, pollingIntervalSeconds: 0.5`]],
  mortal: [["leaseMs: 20_000", "leaseMs: 3_000"]],
  attentive: [],
} as const;

describeQueue("pg-boss", trial, () => {
  it("the order and its job are stored together or not at all, and a start that failed may be tried again", async () => {
    const { pool, boss, start } = recipe;
    const runs = recipe.runs.as("ada");
    const jobStates = async (): Promise<readonly string[]> =>
      (await boss.findJobs("agents", { data: { runId: "unlucky" } })).map(({ state }) => state);
    // So the commit itself fails.
    await pool.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$`);
    await pool.query(`CREATE CONSTRAINT TRIGGER refusal AFTER INSERT ON run_events.events
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`);
    await expect(start("unlucky", "ada", TRIP)).rejects.toThrow("refused");
    expect([(await runs.get("unlucky")).lastSequence, await jobStates()]).toEqual([0, []]);
    await pool.query("DROP TRIGGER refusal ON run_events.events");
    await start("unlucky", "ada", TRIP);
    expect([(await runs.get("unlucky")).lastSequence, await jobStates()]).toEqual([1, ["created"]]);
  });
});
