import { expect } from "vitest";
import type { PostgresPool } from "../src/index.ts";
import { appendOf, createOf, readValues } from "./requests.ts";
import { openStore } from "./stores.ts";

/** Has a run whose row keeps as it is; fails unless the store says so, and rings for what landed beside it. */
export async function expectStubborn(pool: PostgresPool, schema: string): Promise<void> {
  const store = await openStore(pool, { schema });
  for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
  await pool.query(`CREATE FUNCTION ${schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF OLD.run_id = ''b'' THEN RETURN NULL; END IF; RETURN NEW; END'`);
  await pool.query(`CREATE TRIGGER refuse BEFORE UPDATE ON ${schema}.runs
    FOR EACH ROW EXECUTE FUNCTION ${schema}.refuse()`);
  const alone = store.append([appendOf("b")]);
  await expect(alone).rejects.toMatchObject({ code: "store_unavailable", ambiguous: false });
  const rung = Promise.withResolvers<void>();
  store.watch("a", rung.resolve);
  const group = store.append([appendOf("b"), appendOf("a", 1)]);
  await expect(group).rejects.toMatchObject({ code: "store_unavailable", ambiguous: true });
  await rung.promise;
  expect(await readValues(store, "a")).toEqual([1]);
  expect(await readValues(store, "b")).toEqual([]);
}
