import type { StoreDoors } from "@tm/run-events-conformance";
import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import postgres from "postgres";
import { afterAll, beforeAll, describe } from "vitest";
import { itKeeps } from "../../../conformance/test/drivers/it-keeps.ts";
import type { PostgresPool, PostgresStore } from "../../src/index.ts";
import { clientOf, fromPostgresJs } from "../../src/postgres-js/index.ts";
import { createDoors, leadTo, type SchemaPlace } from "../doors.ts";
import { itFindsLeaks } from "../leaks.ts";

describe("the Postgres store on postgres.js", () => {
  let server: PostgresServer;
  let sql: postgres.Sql;
  let readOnly: postgres.Sql;
  let own: postgres.Sql;
  let pool: PostgresPool;
  beforeAll(async () => {
    server = await startPostgres();
    const quiet = { onnotice() {} };
    sql = postgres(server.url, quiet);
    own = postgres(server.url, quiet);
    // As in every session after the database's default was set to read-only.
    readOnly = postgres(server.url, {
      ...quiet,
      connection: { default_transaction_read_only: true },
    });
    pool = fromPostgresJs(sql);
  });
  afterAll(async () => {
    await Promise.all([sql.end(), readOnly.end(), own.end()]);
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
    begin: beginIn(() => own),
  };
  itKeeps({ store: "Postgres", driver: "postgres.js", packages: ["postgres"], options });
  itFindsLeaks(options);
});

/** Begins transactions with `sql.begin`, which end when their functions do. */
function beginIn(sql: () => postgres.Sql): NonNullable<StoreDoors<SchemaPlace>["begin"]> {
  return async ({ opened }) => {
    const [store] = opened.keys();
    const ended = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<postgres.TransactionSql>();
    const whole = sql().begin(async (tx) => {
      begun.resolve(tx);
      await ended.promise;
    });
    const settled = Promise.allSettled([whole]);
    const tx = await begun.promise;
    return {
      append: (append) =>
        (store as PostgresStore).appendInTransaction({ ...append, client: clientOf(tx) }),
      async end(how) {
        if (how === "commit") ended.resolve();
        else ended.reject(new Error("Rolled back."));
        const [outcome] = await settled;
        if (how === "commit" && outcome.status === "rejected") throw outcome.reason;
      },
    };
  };
}
