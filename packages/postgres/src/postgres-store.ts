import type { AppendReceipt } from "@tm/run-events-core";
import {
  createCalls,
  planJoinedAppend,
  type RunName,
  type RunEventStore,
} from "@tm/run-events-core/store";
import { appendPlains } from "./append.ts";
import { changeRuns } from "./change.ts";
import { SchemaCheck } from "./check-schema.ts";
import { openConnections } from "./connections.ts";
import type { PostgresPool } from "./driver.ts";
import { inDoubt, storeFailure, TransactionOver } from "./failure.ts";
import { type JoinedAppend, joinTransaction } from "./join-transaction.ts";
import { SLOW_POLL_MS } from "./notifications.ts";
import { listRuns } from "./sql/list.ts";
import { sendProbe } from "./sql/probe.ts";
import { readPages } from "./sql/read.ts";
import { createStatements } from "./statements.ts";

/** Settings of {@link createPostgresStore}. */
export interface PostgresStoreOptions {
  /**
   * The schema of the store's tables: a lower-case identifier.
   * @defaultValue `run_events`
   */
  readonly schema?: string;
  /**
   * The pool of the connection that listens. Set it if `pool` goes through a transaction pooler, as PgBouncer may be: it has to
   * connect to Postgres itself. One connection is taken.
   * @defaultValue `pool`
   */
  readonly listenPool?: PostgresPool;
}

/** A store on Postgres. */
export interface PostgresStore extends RunEventStore {
  /** Creates or updates the tables. Many processes may call it at once. If nothing is to be done, it writes nothing. */
  migrate(): Promise<void>;
  /**
   * Checks the server and the tables, and writes nothing. The server has to be the primary, and the tables of this program's
   * schema. Their unique indexes have to exist and be valid.
   * @throws RunEventsError `store_unavailable`
   * @see clauses S10 and S19 in `STORE.md` of `@tm/run-events-core`
   */
  verify(): Promise<void>;
  /**
   * Appends inside the caller's open transaction. The run stays locked for other writes until the transaction ends, so append last, and commit
   * soon. A refusal leaves the transaction as it was; a failure aborts it, as always in Postgres. If the transaction ends before all statements
   * of the append have arrived, nothing lands.
   * @throws RunEventsError `not_found`, `run_finished`, `fenced`, `sequence_conflict`, `idempotency_key_reused`,
   * `invalid_request`, `invalid_event`, `payload_too_large`, `store_unavailable`
   * @throws TypeError without an open transaction, after its end, or without an `ownerId`
   */
  appendInTransaction(append: JoinedAppend & RunName): Promise<AppendReceipt>;
}

/** The greatest delay of a poll for commits without a notification, in milliseconds. */
const POLL_GRACE_MS = 500;

/**
 * Opens a store on the caller's pool. Nothing is sent before the first call.
 * @param pool a pg `Pool` of at least two connections, or a PGlite database; the caller ends it, after the store is closed
 * @throws TypeError for a value that is not such a pool, for a pool that was ended, for a schema that is not an identifier, or
 * for a pool of one connection that the listener would share
 *
 * @example
 * const store = createPostgresStore(new pg.Pool({ connectionString }));
 * await store.migrate();
 */
export function createPostgresStore(
  pool: PostgresPool,
  { schema = "run_events", listenPool = pool }: PostgresStoreOptions = {},
): PostgresStore {
  const sql = createStatements(schema);
  const { query, plannedQuery, probeQuery, transact, notifications, reports } = openConnections(
    pool,
    listenPool,
    sql,
    schema,
  );
  const check = new SchemaCheck(query, sql, schema);
  const calls = createCalls();

  /** Makes a call, even if the tables may be missing. A driver's error becomes a `RunEventsError`. */
  async function guard<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await calls.run(call);
    } catch (error) {
      throw error instanceof TransactionOver ? error : storeFailure(error);
    }
  }

  /** Makes a call on the store's tables. */
  function perform<T>(call: () => Promise<T>): Promise<T> {
    return guard(async () => {
      await check.verifyOnce();
      return call();
    });
  }

  return {
    get capabilities() {
      return capabilitiesOf(transact !== null, check);
    },
    migrate: () => guard(() => check.migrate()),
    verify: () => guard(() => check.verify()),
    append: (plains) =>
      perform(async () => {
        const { landings, changes } = await appendPlains(plannedQuery, sql, plains).catch(inDoubt);
        notifications.committed(changes);
        return landings;
      }),
    change: (changes) =>
      perform(() =>
        changeRuns(plannedQuery, transact, sql, changes, (committed) =>
          notifications.committed(committed),
        ).catch(inDoubt),
      ),
    read: (queries) => perform(() => readPages(plannedQuery, sql, queries)),
    list: (asked) => perform(() => listRuns(plannedQuery, sql, asked)),
    probe: () =>
      guard(async () => {
        await check.verify(probeQuery);
        return sendProbe(probeQuery, sql);
      }),
    subscribe: (subject, onNotification) => notifications.subscribe(subject, onNotification),
    observe: reports.observe,
    async appendInTransaction(append) {
      // Checked before anything is sent.
      const planned = planJoinedAppend(append);
      const outcome = await guard(() =>
        joinTransaction(append.client, planned.change, sql, check, (change) => {
          if ("ordinal" in change) notifications.joined(change);
        }),
      );
      return planned.receiptOf(outcome);
    },
    async close() {
      await Promise.all([calls.close(), notifications.close()]);
    },
  };
}

function capabilitiesOf(
  isShared: boolean,
  { durability }: SchemaCheck,
): RunEventStore["capabilities"] {
  return {
    // A PGlite database does not show where it stores its files.
    durability: isShared ? durability : "unknown",
    shared: isShared,
    joinsTransaction: true,
    losesAnswers: true,
    // A PGlite database is in this process.
    appendsAtOnce: isShared ? 2 : 1,
    notifyWithinMs: SLOW_POLL_MS + POLL_GRACE_MS,
    mostEvents: Number.MAX_SAFE_INTEGER,
    mostBytes: Number.MAX_SAFE_INTEGER,
  };
}
