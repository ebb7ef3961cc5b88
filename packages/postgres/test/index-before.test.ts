import { expectFirstRuns } from "@tm/run-events-test-servers/expectations";
import { describe, expect, it } from "vitest";
import { makeFirstSchema } from "./first-schema.ts";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

describe("an index that is built before its migration", () => {
  it("S19: a migration takes the index of events that was built before, and builds one again that is not valid", async () => {
    const pool = openPool(server().url);
    for (const isValid of [true, false]) {
      const schema = newSchema();
      await makeFirstSchema(pool, schema);
      for (const statement of [
        `ALTER TABLE ${schema}.events ADD COLUMN IF NOT EXISTS run_status text`,
        `CREATE INDEX CONCURRENTLY IF NOT EXISTS events_by_status
         ON ${schema}.events (run_key, sequence) WHERE run_status IS NOT NULL`,
      ])
        await pool.query(statement);
      const index = `'${schema}.events_by_status'::regclass`;
      await pool.query(`UPDATE pg_index SET indisvalid = $1 WHERE indexrelid = ${index}`, [
        isValid,
      ]);
      const select = `SELECT indexrelid, indisvalid FROM pg_index WHERE indexrelid = ${index}`;
      const [before] = (await pool.query(select)).rows;
      const store = await openStore(pool, { schema });
      const [after] = (await pool.query(select)).rows;
      expect([after.indexrelid === before.indexrelid, after.indisvalid]).toEqual([isValid, true]);
      await expectFirstRuns(store);
    }
  });
});
