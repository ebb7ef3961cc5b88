import { PGlite } from "@electric-sql/pglite";
import { runEventStoreConformance } from "@tm/run-events-conformance";
import {
  findSystemPostgres,
  type PostgresServer,
  startPostgres,
} from "@tm/run-events-test-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, inject, it } from "vitest";
import { createDoors } from "./doors.ts";

const ENGINES = findSystemPostgres() === null ? ["embedded"] : ["embedded", "system"];

describe.each(ENGINES)("the Postgres store on pg, with the %s server", (engine) => {
  let server: PostgresServer;
  let pool: pg.Pool;
  beforeAll(async () => {
    server = await startPostgres({ engine: engine === "system" ? "system" : "embedded" });
    pool = new pg.Pool({ connectionString: server.url });
  });
  afterAll(async () => {
    await pool.end();
    await server.close();
  });
  const doors = createDoors(() => pool);
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
  const doors = createDoors(() => db);
  const profile = inject("variantProfile");
  const cases = runEventStoreConformance({ name: "PGlite", profile, ...doors });
  for (const { name, run, timeoutMs } of cases) it(name, run, timeoutMs);
});
