import { createRunEvents } from "@tm/run-events-core";
import { createPostgresStore } from "@tm/run-events-postgres";
import pg from "pg";
import { PgBoss } from "pg-boss";

const connectionString = process.env.DATABASE_URL;
export const pool = new pg.Pool({ connectionString, query_timeout: 10_000 });
pool.on("error", console.error);
const store = createPostgresStore(pool);
await store.migrate();
export const runs = createRunEvents({ store });
export const boss = new PgBoss({ connectionString });
boss.on("error", console.error);
await boss.start();
// A dead worker is known by its silence, not by how long its job takes.
const deaths = { heartbeatSeconds: 30, expireInSeconds: 86_400 };
await boss.createQueue("agents", { ...deaths, retryLimit: 2, retryBackoff: true });

/** For the app's servers: the order is in the run's log and its job is queued, or neither. A repeated call changes nothing. */
export async function start(runId, ownerId, trip) {
  await runs.create({ runId, ownerId });
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const events = [{ eventType: "TRIP_ORDERED", payload: trip }]; // and rows of your own
    const order = { client, ownerId, runId, events, idempotencyKey: "order" };
    const { replayed } = await store.appendInTransaction(order);
    const db = { executeSql: (text, values) => client.query(text, values) };
    if (!replayed) await boss.send("agents", { ownerId, runId }, { db });
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

/** The owner's answer to a run that waits, and a job that goes on with it. A repeat adds a job that finds the run finished. */
export async function answer(runId, ownerId, idempotencyKey, payload) {
  await runs.input(runId, payload, { ownerId, idempotencyKey });
  await boss.send("agents", { ownerId, runId });
}
