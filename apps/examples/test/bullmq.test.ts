import type { RunEvents } from "@tm/run-events-core";
import { startRedis } from "@tm/run-events-test-servers";
import type { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { expect, it, vi } from "vitest";
import { describeQueue, type QueueApp, type QueueTrial } from "./describe-queue.ts";

interface QueueModule {
  readonly redis: Redis;
  readonly runs: RunEvents;
  readonly queue: Queue;
  start(runId: string, ownerId: string): Promise<void>;
  answer(runId: string, ownerId: string, key: string, payload: unknown): Promise<void>;
}

let recipe: QueueModule;

async function open(): Promise<QueueApp> {
  const server = await startRedis();
  const env = { REDIS_URL: server.url };
  vi.stubEnv("REDIS_URL", server.url);
  const file = "../src/bullmq/queue.mjs";
  recipe = (await import(file)) as QueueModule;
  const { redis, runs, queue, start, answer } = recipe;
  const jobIdOf = (runId: string): string => `ada ${runId}`;
  return {
    runs: runs.as("ada"),
    env,
    start: (runId) => start(runId, "ada"),
    answer: (runId, payload) => answer(runId, "ada", "answer", payload),
    async startOnce(runId) {
      await runs.create({ runId, ownerId: "ada" });
      await queue.add("trip", { ownerId: "ada", runId }, { jobId: jobIdOf(runId), attempts: 1 });
    },
    jobStates: async (runId) => [await queue.getJobState(jobIdOf(runId))],
    deliveries: async (runId) => (await queue.getJob(jobIdOf(runId)))?.attemptsStarted ?? 0,
    async dueAt(runId) {
      const score = await redis.zscore(queue.toKey("delayed"), jobIdOf(runId));
      // In the lower twelve bits BullMQ keeps the order of jobs of one millisecond.
      return score === null ? null : Math.floor(Number(score) / 4_096);
    },
    bringForward: async (runId) => (await queue.getJob(jobIdOf(runId)))?.promote(),
    // Workers of earlier tests have checked, each for all others, and do not check again for half a minute.
    findDead: async () => void (await redis.del(queue.toKey("stalled-check"))),
    async close() {
      await queue.close();
      await runs.close();
      await redis.quit();
      await server.close();
    },
  };
}

const trial: QueueTrial = {
  folder: "bullmq",
  open,
  before: [],
  hasty: [],
  mortal: [
    ["leaseMs: 30_000", "leaseMs: 4_000"],
    ["maxStalledCount: 3", "maxStalledCount: 3, lockDuration: 1_000"],
  ],
  attentive: [["maxStalledCount: 3", "maxStalledCount: 3, stalledInterval: 500"]],
};

describeQueue("BullMQ", trial, () => {
  it("runs of two owners with the same id have a job each, however often they are started", async () => {
    const { queue, start } = recipe;
    const owners = ["ada", "b:o:b%"];
    for (const ownerId of [...owners, ...owners]) await start("same", ownerId);
    const jobs = await queue.getJobs(["waiting"]);
    expect(jobs.map(({ data }) => data as unknown).toReversed()).toEqual(
      owners.map((ownerId) => ({ ownerId, runId: "same" })),
    );
    await Promise.all(jobs.map((job) => job.remove()));
  });
});
