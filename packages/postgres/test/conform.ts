import { type ProfileName, runEventStoreConformance } from "@tm/run-events-conformance";
import {
  type PostgresEngine,
  type PostgresServer,
  startPostgres,
} from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { itKeeps } from "../../conformance/test/drivers/it-keeps.ts";
import { createDoors, leadTo } from "./doors.ts";
import { itFindsLeaks } from "./leaks.ts";

/** A refusal of Amazon Aurora's primary with its default settings, in a schema that comes before `pg_catalog`. */
const REFUSALS = `CREATE SCHEMA managed;
CREATE FUNCTION managed.pg_current_wal_lsn() RETURNS pg_lsn LANGUAGE plpgsql AS $$
BEGIN RAISE 'wal_level must be set to logical' USING ERRCODE = '55000'; END $$`;
const MANAGED = "-c search_path=managed,pg_catalog";

/** Runs the kit on pg, with a server of its own that refuses what a managed Postgres refuses. */
export function conformOn(engine: PostgresEngine, profile: ProfileName): void {
  describe(`the Postgres store on pg, with the ${engine} server`, () => {
    let server: PostgresServer;
    let pool: pg.Pool;
    let readOnly: pg.Pool;
    beforeAll(async () => {
      server = await startPostgres({ engine });
      const { url: connectionString } = server;
      pool = new pg.Pool({ connectionString, options: MANAGED });
      // As in every session after the database's default was set to read-only.
      const options = `${MANAGED} -c default_transaction_read_only=on`;
      readOnly = new pg.Pool({ connectionString, options });
      await pool.query(REFUSALS);
    });
    afterAll(async () => {
      await Promise.all([pool.end(), readOnly.end()]);
      await server.close();
    });
    const doors = createDoors(
      () => pool,
      leadTo(() => readOnly),
    );
    const options = { name: `pg, ${engine}`, profile, soakMs: inject("soakMs"), ...doors };
    // The system's Postgres is the same driver.
    if (engine === "embedded") {
      itKeeps({ store: "Postgres", driver: "pg", packages: ["pg"], options });
    } else {
      const cases = runEventStoreConformance(options);
      for (const { name, run, timeoutMs } of cases) it(name, run, timeoutMs);
    }
    itFindsLeaks(options);

    it("the server refuses what a managed Postgres refuses", async () => {
      const refused = pool.query("SELECT pg_current_wal_lsn()");
      await expect(refused).rejects.toMatchObject({ code: "55000" });
    });
  });
}
