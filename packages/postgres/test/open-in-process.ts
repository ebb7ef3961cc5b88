// What the kit's processes open, each with a pool of its own.
import type { RunEventStore } from "@tm/run-events-core";
import pg from "pg";
import { createPostgresStore } from "../src/index.ts";

/** A schema in a database. */
export interface SchemaPlace {
  readonly url: string;
  readonly schema: string;
}

export async function open({ url, schema }: SchemaPlace): Promise<RunEventStore> {
  const pool = new pg.Pool({ connectionString: url });
  // The server is crashed; whoever uses a connection learns of it.
  pool.on("error", () => {});
  const store = createPostgresStore(pool, { schema });
  await store.migrate();
  return store;
}
