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
import { isAmbiguous, isOutsideTransaction, storeFailure } from "./failure.ts";
import { type JoinedAppend, joinTransaction } from "./join-transaction.ts";
import { SLOW_POLL_MS } from "./notifications.ts";
import { listExpired, purgeRuns } from "./sql/due.ts";
import { claim, release, renew } from "./sql/lease.ts";
import { listRuns } from "./sql/list.ts";
import { readPages } from "./sql/read.ts";
import { createRun, deleteRun, selectRun } from "./sql/run.ts";
import { createStatements } from "./statements.ts";

/** Settings of `createPostgresStore`. */
export interface PostgresStoreOptions {
  /** The schema that the store's tables are in: a lower-case identifier. Default `run_events`. */
  readonly schema?: string;
  /**
   * Where the connection that listens comes from, if `pool` goes through a pooler of transactions, as PgBouncer may be: a
   * pool that connects to Postgres itself. One connection is taken. Default `pool`.
   */
  readonly listenPool?: PostgresPool;
}

/** A store on Postgres. */
export interface PostgresStore extends MigratableStore, TransactionalStore<JoinedAppend> {
  /**
   * Checks that this is the primary, that the tables are of this program's schema, that their unique indexes are there and valid,
   * and that no row-level security hides all of their rows. @throws RunEventsError `store_unavailable`. @see S10, S19
   */
  verify(): Promise<void>;
  /**
   * As the contract says. The run stays locked for other appends until the caller's transaction ends. Appends in one group with a
   * waiting append wait too. So append last, and commit soon. A refusal leaves the transaction as it was; a failure may abort it, as
   * always in Postgres.
   * @throws RunEventsError `not_found`, `run_finished`, `fenced`, `sequence_conflict`, `idempotency_key_reused`; as
   * `planEvents`; `store_unavailable`. TypeError if no transaction is open, or for an `ownerId` that is there and undefined.
   */
  appendInTransaction(append: JoinedAppend): Promise<AppendReceipt>;
}

/** How late a look for commits without a notification may be, in milliseconds. */
const LOOK_GRACE_MS = 500;

/**
 * Opens a store on a pool of the caller's. Nothing is sent before the first call.
 * @param pool a pg `Pool` of at least two connections, or a PGlite database; the caller ends it, after the store is closed
 * @throws TypeError for anything but such a pool or an ended one, for a schema that is not an identifier, or for a pool of one
 * connection that the listener would share
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
  const { query, sturdyQuery, notifications } = connections;
  const check = new SchemaCheck(query, sql, schema);
  const calls = new Calls(check, connections, sql);

  return {
    get capabilities() {
      return capabilitiesOf(connections.isShared, check);
    },
    migrate: () => calls.guard(() => check.migrate()),
    verify: () => calls.guard(() => check.verify()),
    async createRun(request) {
      const outcome = await calls.perform(() => createRun(query, sql, request));
      if (outcome.outcome === "created") notifications.tell([{ runId: request.runId }]);
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
        notifications.tell([...moved.values()]);
      }
    },
    read: (queries) => calls.perform(() => readPages(sturdyQuery, sql, queries)),
    getRun: (runId) => calls.perform(() => selectRun(query, sql, runId)),
    listRuns: (listQuery) => calls.perform(() => listRuns(query, sql, listQuery)),
    async deleteRun(runId, ownerId) {
      const outcome = await calls.perform(() => deleteRun(query, sql, runId, ownerId));
      if (outcome === "deleted") notifications.tell([{ runId }]);
      return outcome;
    },
    // A lost answer leaves open which worker has the run: only a claim with the same key finds out.
    claim: (request) => calls.perform(() => claim(sturdyQuery, sql, request).catch(inDoubt)),
    renew: (request) => calls.perform(() => renew(sturdyQuery, sql, request)),
    release: (request) => calls.perform(() => release(sturdyQuery, sql, request)),
    listExpired: (request) => calls.perform(() => listExpired(query, sql, request)),
    async purge(request) {
      const gone = await calls.perform(() => purgeRuns(query, sql, request));
      notifications.tell(gone.map((runId) => ({ runId })));
      return gone;
    },
    probe: () => calls.probe(),
    subscribe(runId, onNotification) {
      if (calls.isClosed) return closedSubscription();
      return { ready: Promise.resolve(), stop: notifications.add(runId, onNotification) };
    },
    async appendInTransaction(append) {
      const request = planJoinedAppend(append);
      const moved: MovedRuns = new Map();
      const outcome = await calls
        .guard(() => joinTransaction(append.client, sql, check, request, moved))
        .catch(outsideTransaction);
      for (const run of moved.values()) notifications.joined(run);
      return receiptOf(outcome ?? { outcome: "not_found" }, request);
    },
    close: () => calls.close(),
  };
}

function capabilitiesOf(isShared: boolean, { durability }: SchemaCheck): StoreCapabilities {
  return {
    // A PGlite database does not tell where it stores its files.
    durability: isShared ? durability : "unknown",
    shared: isShared,
    joinsTransaction: true,
    losesAcknowledgements: true,
    // A PGlite database is in this process.
    appendsAtOnce: isShared ? 2 : 1,
    notifyWithinMs: SLOW_POLL_MS + LOOK_GRACE_MS,
  };
}

function inDoubt(error: unknown): never {
  throw storeFailure(error, isAmbiguous(error));
}

function outsideTransaction(error: unknown): never {
  if (!isOutsideTransaction(error)) throw error;
  throw new TypeError("Expected a `client` with an open transaction.", { cause: error });
}
