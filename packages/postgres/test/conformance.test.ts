import { PGlite } from "@electric-sql/pglite";
import { runEventStoreConformance } from "@tm/run-events-conformance";
import {
  findSystemPostgres,
  type PostgresServer,
  startPostgres,
} from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, inject, it } from "vitest";
import { createDoors, leadTo } from "./doors.ts";

const ENGINES = findSystemPostgres() === null ? ["embedded"] : ["embedded", "system"];

describe.each(ENGINES)("the Postgres store on pg, with the %s server", (engine) => {
  let server: PostgresServer;
  let pool: pg.Pool;
  let readOnly: pg.Pool;
  beforeAll(async () => {
    server = await startPostgres({ engine: engine === "system" ? "system" : "embedded" });
    const { url: connectionString } = server;
    pool = new pg.Pool({ connectionString });
    // As all sessions are once the database's default has been set to it.
    const options = "-c default_transaction_read_only=on";
    readOnly = new pg.Pool({ connectionString, options });
  });
  afterAll(async () => {
    await Promise.all([pool.end(), readOnly.end()]);
    await server.close();
  });
  const doors = createDoors(
    () => pool,
    leadTo(() => readOnly),
  );
  for (const { name, run, timeoutMs } of runEventStoreConformance({
    name: `pg, ${engine}`,
    profile: engine === "embedded" ? "ci" : inject("variantProfile"),
    ...doors,
  })) {
    it(name, run, timeoutMs);
  }
});

describe("the Postgres store on PGlite", () => {
  let db: PGlite;
  beforeAll(() => {
    db = new PGlite();
  });
  afterAll(() => db.close());
  const doors = createDoors(
    () => db,
    async () => {
      await db.query("SET default_transaction_read_only = on");
      return async () => void (await db.query("SET default_transaction_read_only = off"));
    },
  );
  const profile = inject("variantProfile");
  const cases = runEventStoreConformance({ name: "PGlite", profile, ...doors });
  for (const { name, run, timeoutMs } of cases) it(name, run, timeoutMs);
});
