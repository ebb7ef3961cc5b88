import { createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { newSchema, openPool, openStore, useServer, createStore } from "./stores.ts";

const server = useServer();

it("a role with the documented rights can make every call but `migrate`", async () => {
  const admin = openPool(server().url);
  const schema = newSchema();
  await openStore(admin, { schema });
  await admin.query(`
    CREATE ROLE app LOGIN PASSWORD 'app';
    GRANT USAGE ON SCHEMA ${schema} TO app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO app;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO app;`);
  const url = new URL(server().url);
  [url.username, url.password] = ["app", "app"];
  const store = createStore(openPool(url.href), { schema });
  const all = createRunEvents({ store: store.inner });
  onTestFinished(() => all.close());
  const runs = all.as("ada");
  await store.verify();
  const { runId } = await runs.create({ topic: "rights", exclusive: true });
  await runs.append(runId, [{ eventType: "NOTE" }], { idempotencyKey: "k" });
  const claim = await runs.claim(runId, { leaseMs: 60_000 });
  await runs.renew(runId, claim.fence, { leaseMs: 60_000 });
  await runs.release(runId, claim.fence);
  expect((await runs.read(runId)).events).toHaveLength(1);
  await runs.cancel(runId);
  const started = await runs.start({ leaseMs: 60_000 }, async (run) => {
    await run.append([{ eventType: "NOTE" }]);
  });
  await started.done;
  expect((await runs.get(started.runId)).runStatus).toBe("completed");
  expect((await runs.list()).runs).toHaveLength(2);
  await all.reap({ graceMs: 0, idleForMs: 60_000 });
  await all.probe();
  await runs.delete(runId);
  await all.purge({ finishedForMs: 0 });
  expect((await runs.list()).runs).toEqual([]);
});
