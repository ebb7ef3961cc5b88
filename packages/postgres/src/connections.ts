import { createStoreReports } from "@tm/run-events-core/store";
import type { PostgresDriver, PostgresPool } from "./driver.ts";
import { Notifications } from "./notifications.ts";
import { checkPool, driverOf, isOfOne } from "./pool.ts";
import { namingQueryOf, type Query, queryOf, withRetries } from "./query.ts";
import type { Statements } from "./statements.ts";

/** The time that a statement of a probe may hold a connection, in milliseconds. */
const PROBE_MS = 10_000;

/** The connections of one store to its server. */
export interface Connections {
  readonly query: Query;
  /** Statements that are planned once. */
  readonly plannedQuery: Query;
  /** Statements that hold no connection for long. */
  readonly probeQuery: Query;
  readonly transact: PostgresDriver["transact"];
  readonly notifications: Notifications;
  readonly reports: ReturnType<typeof createStoreReports>;
}

/**
 * Sets up the connections. Nothing is sent before the first call.
 * @param channel an identifier
 * @throws TypeError as `checkPool`, or for a pool of one connection that the listener would share
 */
export function openConnections(
  pool: PostgresPool,
  listenPool: PostgresPool,
  sql: Statements,
  channel: string,
): Connections {
  checkPool(pool, "pool");
  if (listenPool !== pool) {
    checkPool(listenPool, "listenPool");
  } else if (isOfOne(pool)) {
    throw new TypeError(
      "Expected a pool of 2 or more connections, got `max: 1`: raise it, or give a `listenPool`.",
    );
  }
  const driver = driverOf(pool);
  const { listen } = driverOf(listenPool);
  const { transact } = driver;
  const query = withRetries(queryOf(driver));
  const reports = createStoreReports();
  const notifications = new Notifications({
    query,
    sql,
    send: (payloads) => query(sql.notify, [channel, payloads]),
    listen: listen && ((on) => listen(channel, on)),
    reports,
  });
  // A listener that receives notifications on one of the pool's connections shows that they are sessions.
  const isSession = (): boolean => listenPool === pool && notifications.isProven();
  const plannedQuery = withRetries(namingQueryOf(driver, isSession));
  const timedQuery: Query = async (text, values) =>
    (await driver.query(text, values, { timeoutMs: PROBE_MS })).rows;
  // A database in this process is never away, but waits for the transactions of its program.
  const probeQuery = transact === null ? query : timedQuery;
  return { query, plannedQuery, probeQuery, transact, notifications, reports };
}
