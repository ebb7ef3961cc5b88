// The kit's processes open this, each with its own pool.
import { RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import pg from "pg";
import { createPostgresStore } from "../src/index.ts";

/** A schema in a database. */
export interface SchemaPlace {
  readonly url: string;
  readonly schema: string;
  /** Whether the store claims after a lost answer that nothing has landed: the kit has to find that. */
  readonly isSure?: boolean;
}

export async function open({ url, schema, isSure = false }: SchemaPlace): Promise<RunEventStore> {
  const pool = new pg.Pool({ connectionString: url });
  // The test crashes the server; the next use of a connection fails with this error.
  pool.on("error", () => {});
  const store = createPostgresStore(pool, { schema });
  await store.migrate();
  return isSure ? { ...store, append: (requests) => surely(store.append(requests)) } : store;
}

/** A store that never marks a failure as ambiguous. */
async function surely<T>(landed: Promise<T>): Promise<T> {
  try {
    return await landed;
  } catch (cause) {
    throw new RunEventsError("store_unavailable", "It has not landed.", { cause });
  }
}
