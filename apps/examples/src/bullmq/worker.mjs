import { DelayedError, Worker } from "bullmq";
import { agent } from "../agent.mjs";
import { queue, redis, runs } from "./queue.mjs";

/** It has three parameters, since BullMQ gives a signal only to such functions. */
async function workOn(job, token, shutdown) {
  const { ownerId, runId } = job.data;
  const own = runs.as(ownerId);
  const isLast = job.attemptsMade + 1 >= job.opts.attempts;
  const failure = new AbortController();
  const signal = AbortSignal.any([shutdown, failure.signal]);
  const task = async (run) => {
    try {
      return await agent(own, run);
    } catch (error) {
      // Releases the run for the job's next attempt. At the last attempt it ends with RUN_FAILED.
      if (!isLast) failure.abort(error);
      throw error;
    }
  };
  try {
    return await own.work(runId, { leaseMs: 30_000, signal }, task);
  } catch (error) {
    const { code, details } = error;
    // The run was cancelled, or its worker died before it could report to BullMQ: the job is done.
    if (code === "run_finished") return details;
    if (code !== "claimed" && code !== "fenced" && error !== shutdown.reason) throw error;
    // Another worker has the run, or this one shuts down: the job comes again, and has not failed.
    const againMs = Date.parse(details?.expiresAt) || 0;
    await job.moveToDelayed(Math.max(againMs, Date.now() + 100), token);
    throw new DelayedError();
  }
}

const connection = redis.duplicate({ maxRetriesPerRequest: null }); // BullMQ requires it
const worker = new Worker("agents", workOn, { connection, maxStalledCount: 3 });
worker.on("error", console.error);
async function shutDown() {
  const closed = worker.close(); // takes no more jobs,
  worker.cancelAllJobs(); // and releases those that it has
  await closed;
  await runs.close();
  await queue.close();
  await Promise.all([redis.quit(), connection.quit()]);
}
process.once("SIGTERM", () => void shutDown());
