import { inspect } from "node:util";
import { expect, it } from "vitest";
import { appendOf, createOf } from "@tm/run-events-test-servers/requests";
import { newSchema, openPool, openStore, useServer } from "./stores.ts";

const server = useServer();

it("S20: a failure whose driver error quotes the row shows its reason without the row, so that no log has a payload", async () => {
  const schema = newSchema();
  const pool = openPool(server().url);
  const store = await openStore(pool, { schema });
  await store.createRun(createOf("a"));
  await pool.query(
    `ALTER TABLE ${schema}.events ADD CONSTRAINT brief CHECK (length(payload::text) < 20)`,
  );
  const failure: unknown = await store
    .append([appendOf("a", "a-secret-that-is-longer-than-the-constraint-allows")])
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "store_unavailable" });
  expect(inspect(failure, { depth: null })).toContain("brief");
  expect(inspect(failure, { depth: null })).not.toContain("a-secret");
});

it("S20: a failure of a server that logs parameters shows none of them", async () => {
  const schema = newSchema();
  // The server then sends them to the client as well.
  const options = "-c log_parameter_max_length_on_error=-1";
  const store = await openStore(openPool(server().url, { options }), { schema });
  await store.createRun(createOf("a"));
  const pool = openPool(server().url);
  await pool.query(`ALTER TABLE ${schema}.events ADD CONSTRAINT none CHECK (false) NOT VALID`);
  const failure: unknown = await store
    .append([appendOf("a", "a-secret")])
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "store_unavailable", cause: { constraint: "none" } });
  expect(inspect(failure, { depth: null })).not.toContain("a-secret");
});
