import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import postgres from "postgres";
import { afterAll, beforeAll, describe } from "vitest";
import { itKeeps } from "../../../conformance/test/drivers/it-keeps.ts";
import type { PostgresPool } from "../../src/index.ts";
import { fromPostgresJs } from "../../src/postgres-js/index.ts";
import { createDoors, leadTo } from "../doors.ts";
import { itFindsLeaks } from "../leaks.ts";

describe("the Postgres store on postgres.js", () => {
  let server: PostgresServer;
  let sql: postgres.Sql;
  let readOnly: postgres.Sql;
  let pool: PostgresPool;
  beforeAll(async () => {
    server = await startPostgres();
    const quiet = { onnotice() {} };
    sql = postgres(server.url, quiet);
    // As in every session after the database's default was set to read-only.
    readOnly = postgres(server.url, {
      ...quiet,
      connection: { default_transaction_read_only: true },
    });
    pool = fromPostgresJs(sql);
  });
  afterAll(async () => {
    await Promise.all([sql.end(), readOnly.end()]);
    await server.close();
  });

  const doors = createDoors(
    () => pool,
    leadTo(() => fromPostgresJs(readOnly)),
  );
  const options = {
    name: "postgres.js",
    profile: "quick" as const,
    ...doors,
  };
  itKeeps({ store: "Postgres", driver: "postgres.js", packages: ["postgres"], options });
  itFindsLeaks(options);
});
