import { createRunEvents } from "@tm/run-events-core";
import { openRedisStore } from "@tm/run-events-redis";
import { Queue } from "bullmq";
import { Redis } from "ioredis";

export const redis = new Redis(process.env.REDIS_URL ?? "redis://localhost:6379");
redis.on("error", console.error);
export const runs = createRunEvents({ store: await openRedisStore(redis) });
export const queue = new Queue("agents", { connection: redis });

/** Two owners may have runs of one id. Colons are not allowed in the id of a job. */
const jobIdOf = (ownerId, runId) => `${encodeURIComponent(ownerId)} ${runId}`;

/** For the app's servers. A caller that got no answer calls again: it is the same run, and the same job. */
export async function start(runId, ownerId) {
  await runs.create({ runId, ownerId });
  const backoff = { type: "exponential", delay: 1_000 };
  const jobId = jobIdOf(ownerId, runId);
  await queue.add("trip", { ownerId, runId }, { jobId, attempts: 3, backoff });
}

/** The owner's answer to a run that waits, and a job that goes on with it. A repeat under the same key changes nothing. */
export async function answer(runId, ownerId, idempotencyKey, payload) {
  const { lastSequence } = await runs.input(runId, payload, { ownerId, idempotencyKey });
  const jobId = `${jobIdOf(ownerId, runId)} ${lastSequence}`;
  await queue.add("trip", { ownerId, runId }, { jobId, attempts: 3 });
}
