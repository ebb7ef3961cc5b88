import { createPostgresStore } from "@tm/run-events-postgres";
import { Pool } from "pg";
import { describeError } from "./describe-error.ts";
import type { Log } from "./log.ts";
import type { OpenedStore } from "./opened-store.ts";
import { reasonOf } from "./reason-of.ts";

/** The time limit for a connection to be made or to become free, in milliseconds. */
const CONNECT_MS = 5_000;

/** The time limit of a statement, in milliseconds: a network that drops everything must not hold a request for ever. */
const STATEMENT_MS = 10_000;

/** A part of pg's message when the server wants a password and the URL has none. */
const NO_PASSWORD = "client password must be a string";

/** After how long without data TCP checks whether a connection is alive, in milliseconds. */
const KEEP_ALIVE_MS = 10_000;

/**
 * Opens a store on a Postgres and brings its schema up to date.
 * @param log gets a line for each idle connection that is lost; on other connections the request fails
 * @throws the driver's error, or RunEventsError `store_unavailable` with it as the cause
 */
export async function openPostgres(url: string, log: Log): Promise<OpenedStore> {
  const pool = new Pool({
    connectionString: url,
    application_name: "run-events",
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  });
  // The pool has dropped the connection, and opens another when one is needed.
  pool.on("error", (error) => log("store_connection_lost", describeError(error)));
  try {
    const store = createPostgresStore(pool);
    await store.migrate();
    return { store, release: () => pool.end() };
  } catch (error) {
    await pool.end();
    const reason = reasonOf(error);
    if (!reason.includes(NO_PASSWORD)) throw error;
    throw new Error("it asks for a password: put USER:PASSWORD@ before the host in its URL", {
      cause: error,
    });
  }
}
