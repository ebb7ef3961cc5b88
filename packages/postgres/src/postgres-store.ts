import type { AppendReceipt } from "@tm/run-events-core";
import {
  closedSubscription,
  type MigratableStore,
  planJoinedAppend,
  receiptOf,
  type StoreCapabilities,
  type TransactionalStore,
} from "@tm/run-events-core/store";
import { appendGroup, type MovedRuns } from "./append.ts";
import { Calls } from "./calls.ts";
import { SchemaCheck } from "./check-schema.ts";
import { checkPools, openConnections } from "./connections.ts";
import type { PostgresPool } from "./driver.ts";
import { inDoubt } from "./failure.ts";
import { type JoinedAppend, joinTransaction } from "./join-transaction.ts";
import { SLOW_POLL_MS } from "./notifications.ts";
import { listExpired, listIdle, purgeRuns } from "./sql/due.ts";
import { claim, release, renew } from "./sql/lease.ts";
import { listRuns } from "./sql/list.ts";
import { readPages } from "./sql/read.ts";
import { createRun, deleteRun, selectRun } from "./sql/run.ts";
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
export interface PostgresStore extends MigratableStore, TransactionalStore<JoinedAppend> {
  /**
   * Checks the server and the tables, and writes nothing. The server has to be the primary, and the tables of this program's
   * schema. Their unique indexes have to exist and be valid, and no row-level security may hide all of their rows.
   * @throws RunEventsError `store_unavailable`
   * @see clauses S10 and S19 in `STORE.md` of `@tm/run-events-core`
   */
  verify(): Promise<void>;
  /**
   * Appends inside the caller's open transaction. The run stays locked for other appends until the transaction ends. Appends in
   * one group with a waiting append wait too. So append last, and commit soon. A refusal leaves the transaction as it was; a
   * failure aborts it, as always in Postgres. If the transaction ends before all statements of the append have arrived, nothing lands.
   * @throws RunEventsError `not_found`, `run_finished`, `fenced`, `sequence_conflict`, `idempotency_key_reused`,
   * `invalid_request`, `invalid_event`, `payload_too_large`, `store_unavailable`
   * @throws TypeError without an open transaction, after its end, or for an `ownerId` that is given as undefined
   * @see {@link TransactionalStore.appendInTransaction}
   */
  appendInTransaction(append: JoinedAppend): Promise<AppendReceipt>;
}

/** How late a poll for commits without a notification may be, in milliseconds. */
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
  checkPools(pool, listenPool);
  const sql = createStatements(schema);
  const connections = openConnections(pool, listenPool, sql, schema);
  const { query, sturdyQuery, notifications, reports } = connections;
  const check = new SchemaCheck(query, sql, schema);
  const calls = new Calls(check, connections, sql);

  return {
    get capabilities() {
      return capabilitiesOf(connections.isShared, check);
    },
    migrate: () => calls.guard(() => check.migrate()),
    verify: () => calls.guard(() => check.verify()),
    async createRun(request) {
      // As with a claim, it is in doubt after a lost answer which worker has the run.
      const outcome = await calls.perform(() =>
        request.claim == null
          ? createRun(query, sql, request)
          : createRun(sturdyQuery, sql, request).catch(inDoubt),
      );
      const { runId, ownerId } = request;
      if (outcome.outcome === "created") notifications.committed([{ runId, ownerId }]);
      return outcome;
    },
    async append(requests) {
      const indexed = requests.map((request, index) => ({ request, index }));
      const moved: MovedRuns = new Map();
      try {
        return await calls.perform(() =>
          appendGroup(query, sturdyQuery, sql, indexed, moved).catch(inDoubt),
        );
      } finally {
        notifications.committed([...moved.values()]);
      }
    },
    read: (queries) => calls.perform(() => readPages(sturdyQuery, sql, queries)),
    getRun: (runId) => calls.perform(() => selectRun(query, sql, runId)),
    listRuns: (listQuery) => calls.perform(() => listRuns(query, sql, listQuery)),
    async deleteRun(runId, ownerId) {
      const { outcome, removed } = await calls.perform(() => deleteRun(query, sql, runId, ownerId));
      notifications.committed(removed);
      return outcome;
    },
    // After a lost answer it is in doubt which worker has the run: only a claim with the same key finds out.
    claim: (request) => calls.perform(() => claim(sturdyQuery, sql, request).catch(inDoubt)),
    renew: (request) => calls.perform(() => renew(sturdyQuery, sql, request)),
    release: (request) => calls.perform(() => release(sturdyQuery, sql, request)),
    listExpired: (request) => calls.perform(() => listExpired(query, sql, request)),
    listIdle: (request) => calls.perform(() => listIdle(query, sql, request)),
    async purge(request) {
      const removed = await calls.perform(() => purgeRuns(query, sql, request));
      notifications.committed(removed);
      return removed.map(({ runId }) => runId);
    },
    probe: () => calls.probe(),
    subscribe(subject, onNotification) {
      if (calls.isClosed) return closedSubscription();
      return { ready: Promise.resolve(), stop: notifications.add(subject, onNotification) };
    },
    observe: reports.observe,
    async appendInTransaction(append) {
      const request = planJoinedAppend(append);
      const moved: MovedRuns = new Map();
      const outcome = await calls.guard(() =>
        joinTransaction(append.client, sql, check, request, moved),
      );
      for (const run of moved.values()) notifications.joined(run);
      return receiptOf(outcome ?? { outcome: "not_found" }, request);
    },
    close: () => calls.close(),
  };
}

function capabilitiesOf(isShared: boolean, { durability }: SchemaCheck): StoreCapabilities {
  return {
    // A PGlite database does not show where it stores its files.
    durability: isShared ? durability : "unknown",
    shared: isShared,
    joinsTransaction: true,
    losesAcknowledgements: true,
    // A PGlite database is in this process.
    appendsAtOnce: isShared ? 2 : 1,
    notifyWithinMs: SLOW_POLL_MS + POLL_GRACE_MS,
  };
}
