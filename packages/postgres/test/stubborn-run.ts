import { expect } from "vitest";
import type { PostgresPool, PostgresQueryable } from "../src/index.ts";
import { appendOf, createOf, readValues } from "@tm/run-events-test-servers/requests";
import { openStore } from "./stores.ts";

/** Makes a run's row stay as it is under any update. */
export async function refuseUpdates(
  pool: PostgresQueryable,
  schema: string,
  runId: string,
): Promise<void> {
  await pool.query(`CREATE FUNCTION ${schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF OLD.run_id = ''${runId}'' THEN RETURN NULL; END IF; RETURN NEW; END'`);
  await pool.query(`CREATE TRIGGER refuse BEFORE UPDATE ON ${schema}.runs
    FOR EACH ROW EXECUTE FUNCTION ${schema}.refuse()`);
}

/** Expects that a run whose row stays as it is fails its group, and that the appends that landed with it notify. */
export async function expectStubborn(pool: PostgresPool, schema: string): Promise<void> {
  const store = await openStore(pool, { schema });
  for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
  await refuseUpdates(pool, schema, "b");
  const alone = store.append([appendOf("b")]);
  await expect(alone).rejects.toMatchObject({ code: "store_unavailable", ambiguous: false });
  const notifiedRuns = Promise.withResolvers<void>();
  store.subscribe("a", () => notifiedRuns.resolve());
  const group = store.append([appendOf("b"), appendOf("a", 1)]);
  await expect(group).rejects.toMatchObject({ code: "store_unavailable", ambiguous: true });
  await notifiedRuns.promise;
  expect(await readValues(store, "a")).toEqual([1]);
  expect(await readValues(store, "b")).toEqual([]);
}
