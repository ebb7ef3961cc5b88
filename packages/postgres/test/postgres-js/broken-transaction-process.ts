// A transaction whose connection is ended between two of its statements. Arguments: the address, and the schema of a store for an append
// into the transaction; without one, the program uses postgres.js alone.
import postgres from "postgres";
import { createPostgresStore } from "../../src/index.ts";
import { clientOf, fromPostgresJs } from "../../src/postgres-js/index.ts";

const [url = "", schema] = process.argv.slice(2);
const sql = postgres(url, { fetch_types: false, onnotice() {} });
const other = postgres(url, { fetch_types: false, onnotice() {} });
const store = createPostgresStore(fromPostgresJs(sql), { schema: schema ?? "unused" });

const broken = Promise.withResolvers<void>();
const begun = sql.begin(async (tx) => {
  const [row] = await tx`SELECT pg_backend_pid() AS pid`;
  await other`SELECT pg_terminate_backend(${row?.["pid"]}, 10000)`;
  await broken.promise;
  if (schema === undefined) await tx`SELECT 1`;
  else {
    const events = [{ eventType: "ORDER_PLACED", payload: { item: "tea" } }];
    await store.appendInTransaction({ client: clientOf(tx), ownerId: "ada", runId: "a", events });
  }
});
// The program handles each error that it gets.
begun.catch(() => broken.resolve());
