import { agent } from "../agent.mjs";
import { boss, pool, runs } from "./queue.mjs";

const shutdown = new AbortController();

async function workOn([job]) {
  const { ownerId, runId } = job.data;
  const own = runs.as(ownerId);
  const isLast = job.retryCount >= job.retryLimit;
  const failure = new AbortController();
  const signal = AbortSignal.any([shutdown.signal, failure.signal]);
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
    return await own.work(runId, { leaseMs: 20_000, signal }, task);
  } catch (error) {
    const { code, details } = error;
    // The run was cancelled, or its worker died before it could report to pg-boss: the job is done.
    if (code === "run_finished") return details;
    if (code !== "claimed" && code !== "fenced" && error !== shutdown.signal.reason) throw error;
    // Another worker has the run, or this one shuts down: a new job takes the place of this one, which has not failed.
    await boss.send("agents", job.data, { startAfter: details?.expiresAt });
  }
}

await boss.work("agents", { includeMetadata: true }, workOn);
async function shutDown() {
  const stopped = boss.stop(); // takes no more jobs,
  shutdown.abort(); // and releases those that it has
  await stopped;
  await runs.close();
  await pool.end();
}
process.once("SIGTERM", () => void shutDown());
