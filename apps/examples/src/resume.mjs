import { setTimeout } from "node:timers/promises";
import { createRunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import Database from "better-sqlite3";
import { agent } from "./agent.mjs";

const store = createSqliteStore(new Database(process.env.DATABASE ?? "runs.db"));
await store.migrate();
const runs = createRunEvents({ store });
const ada = runs.as("ada"); // her runs: a worker needs the name of the owner, too
const shutdown = new AbortController();
const { signal } = shutdown;
process.once("SIGTERM", () => shutdown.abort());

/** Works on a run until it has ended, even if another worker began it. */
async function finish(runId) {
  try {
    return await ada.work(runId, { leaseMs: 30_000, signal }, (run) => agent(ada, run));
  } catch (error) {
    if (error.code === "run_finished") return error.details.runStatus; // cancelled, perhaps
    if (error.code !== "claimed" && error.code !== "fenced") throw error;
    // Another worker has the run until then, or longer if it renews its lease, which a dead one cannot.
    const { expiresAt } = error.details;
    console.log(`another worker has ${runId} until ${expiresAt}`);
    const leftMs = Date.parse(expiresAt) - Date.now() || 0;
    await setTimeout(Math.max(leftMs, 100), null, { signal });
    return finish(runId);
  }
}

const [runId = "trip"] = process.argv.slice(2);
try {
  await ada.create({ runId }); // a repeated call changes nothing
  console.log(await finish(runId));
} catch (error) {
  if (!signal.aborted) throw error; // else the run was released, for the next worker
} finally {
  await runs.close();
}
