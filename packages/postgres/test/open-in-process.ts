// The kit's processes open this, each with its own pool.
import { RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import pg from "pg";
import postgres from "postgres";
import { createPostgresStore, type PostgresPool } from "../src/index.ts";
import { fromPostgresJs } from "../src/postgres-js/index.ts";

/** A schema in a database. */
export interface SchemaPlace {
  readonly url: string;
  readonly schema: string;
  /** @defaultValue pg */
  readonly driver?: "pg" | "postgres.js";
  /** Whether the store claims after a lost answer that nothing has landed: the kit has to find that. */
  readonly isSure?: boolean;
}

export async function open(place: SchemaPlace): Promise<RunEventStore> {
  const { schema, isSure = false } = place;
  const store = createPostgresStore(connect(place), { schema });
  await store.migrate();
  return isSure ? { ...store, append: (requests) => surely(store.append(requests)) } : store;
}

function connect({ url, driver }: SchemaPlace): PostgresPool {
  if (driver === "postgres.js") {
    return fromPostgresJs(postgres(url, { fetch_types: false, onnotice() {} }));
  }
  const pool = new pg.Pool({ connectionString: url });
  // The test crashes the server; the next use of a connection fails with this error.
  pool.on("error", () => {});
  return pool;
}

/** A store that never marks a failure as ambiguous. */
async function surely<T>(landed: Promise<T>): Promise<T> {
  try {
    return await landed;
  } catch (cause) {
    throw new RunEventsError("store_unavailable", "It has not landed.", { cause });
  }
}
