import { createStoreReports } from "@tm/run-events-core/store";
import type { PostgresPool } from "./driver.ts";
import { Listener } from "./listener.ts";
import { Notifications } from "./notifications.ts";
import { checkPool, connectOf, ownTransactOf, queryOfPool } from "./pool.ts";
import {
  namingQueryOf,
  type Query,
  sturdyQueryOf,
  timedQueryOf,
  type Transact,
  transactOf,
  withRetries,
} from "./query.ts";
import type { Statements } from "./statements.ts";

/** The time that a statement of a probe may hold a connection, in milliseconds. */
const PROBE_MS = 10_000;

/** The connections of one store to its server. */
export interface Connections {
  /** Whether other processes reach the database; a PGlite database is in this process. */
  readonly isShared: boolean;
  /** Statements on a connection that the pool picks. */
  readonly query: Query;
  /** Statements that may fail without losing their connection, and statements that are planned once. */
  readonly sturdyQuery: Query;
  /** Statements that hold no connection for long. */
  readonly probeQuery: Query;
  /** `null` where no other process reaches the database. */
  readonly transact: Transact | null;
  readonly notifications: Notifications;
  readonly reports: ReturnType<typeof createStoreReports>;
}

/**
 * Sets up the connections. Nothing is sent before the first call.
 * @throws TypeError for a pool of one connection that the listener would share
 */
export function openConnections(
  pool: PostgresPool,
  listenPool: PostgresPool,
  sql: Statements,
  channel: string,
): Connections {
  if (listenPool === pool && pool.options?.max === 1) {
    throw new TypeError(
      "Expected a pool of 2 or more connections, got `max: 1`: raise it, or give a `listenPool`.",
    );
  }
  const query = withRetries(queryOfPool(pool));
  const connect = connectOf(pool);
  const connectListener = connectOf(listenPool);
  const reports = createStoreReports();
  const send = (payloads: readonly string[]): Promise<unknown> =>
    query(sql.notify, [channel, payloads]);
  const notifications = new Notifications({
    query,
    sql,
    send,
    listen:
      connectListener && ((on) => new Listener({ ...on, connect: connectListener, channel, send })),
    reports,
  });
  // A listener that receives notifications on one of the pool's connections shows that they are sessions.
  const isSession = (): boolean => listenPool === pool && notifications.isProven();
  const sturdyQuery =
    connect === null ? query : withRetries(sturdyQueryOf(connect, namingQueryOf(isSession)));
  const probeQuery = connect === null ? query : timedQueryOf(connect, PROBE_MS);
  const transact = connect === null ? null : (ownTransactOf(pool) ?? transactOf(connect));
  const isShared = connect !== null;
  return { isShared, query, sturdyQuery, probeQuery, transact, notifications, reports };
}

/**
 * Checks both pools of a store.
 * @throws TypeError as `checkPool`
 */
export function checkPools(pool: PostgresPool, listenPool: PostgresPool): void {
  checkPool(pool, "pool");
  if (listenPool !== pool) checkPool(listenPool, "listenPool");
}
