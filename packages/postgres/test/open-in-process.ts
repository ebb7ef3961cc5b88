// What the kit's processes open, each with a pool of its own.
import { RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import pg from "pg";
import { createPostgresStore } from "../src/index.ts";

/** A schema in a database. */
export interface SchemaPlace {
  readonly url: string;
  readonly schema: string;
  /** Whether the store says of a lost answer that nothing has been done: the kit has to find that. */
  readonly isSure?: boolean;
}

export async function open({ url, schema, isSure = false }: SchemaPlace): Promise<RunEventStore> {
  const pool = new pg.Pool({ connectionString: url });
  // The server is crashed; whoever uses a connection learns of it.
  pool.on("error", () => {});
  const store = createPostgresStore(pool, { schema });
  await store.migrate();
  return isSure ? { ...store, append: (requests) => surely(store.append(requests)) } : store;
}

/** What fails has not landed, whatever the store says. */
async function surely<T>(landed: Promise<T>): Promise<T> {
  try {
    return await landed;
  } catch (cause) {
    throw new RunEventsError("store_unavailable", "It has not landed.", { cause });
  }
}
