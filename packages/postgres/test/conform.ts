import { type ProfileName, runEventStoreConformance } from "@tm/run-events-conformance";
import {
  type PostgresEngine,
  type PostgresServer,
  startPostgres,
} from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, inject, it } from "vitest";
import { itKeeps } from "../../conformance/test/drivers/it-keeps.ts";
import { beginOn, createDoors, leadTo } from "./doors.ts";
import { itFindsLeaks } from "./leaks.ts";

/** Runs the kit on pg, with its own server. */
export function conformOn(engine: PostgresEngine, profile: ProfileName): void {
  describe(`the Postgres store on pg, with the ${engine} server`, () => {
    let server: PostgresServer;
    let pool: pg.Pool;
    let readOnly: pg.Pool;
    let own: pg.Pool;
    beforeAll(async () => {
      server = await startPostgres({ engine });
      const { url: connectionString } = server;
      pool = new pg.Pool({ connectionString });
      own = new pg.Pool({ connectionString });
      // As in every session after the database's default was set to read-only.
      const options = "-c default_transaction_read_only=on";
      readOnly = new pg.Pool({ connectionString, options });
    });
    afterAll(async () => {
      await Promise.all([pool.end(), readOnly.end(), own.end()]);
      await server.close();
    });
    const doors = createDoors(
      () => pool,
      leadTo(() => readOnly),
    );
    const begin = beginOn(() => own);
    const options = { name: `pg, ${engine}`, profile, soakMs: inject("soakMs"), ...doors, begin };
    // The system's Postgres is the same driver.
    if (engine === "embedded") {
      itKeeps({ store: "Postgres", driver: "pg", packages: ["pg"], options });
    } else {
      const cases = runEventStoreConformance(options);
      for (const { name, run, timeoutMs } of cases) it(name, run, timeoutMs);
    }
    itFindsLeaks(options);
  });
}
