import { randomUUID } from "node:crypto";
import pg from "pg";
import { openSqlStore } from "./sql-store.mjs";

/** Makes an empty schema. @returns a URL whose connections use it */
export async function newPlace() {
  const schema = `s_${randomUUID().replaceAll("-", "")}`;
  const client = new pg.Client(process.env.DATABASE_URL);
  await client.connect();
  await client.query(`CREATE SCHEMA ${schema}`);
  await client.end();
  const url = new URL(process.env.DATABASE_URL);
  url.searchParams.set("options", `-c search_path=${schema}`);
  return url.href;
}

export function openPool(connectionString, Client = pg.Client) {
  const pool = new pg.Pool({ connectionString, Client });
  // A connection that breaks ends no process: its user learns of it from its statement.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** Opens a store there, migrated. The kit's processes call this; their pools end with them. */
export async function open(url) {
  const store = await openSqlStore(openPool(url));
  await store.migrate();
  return store;
}
