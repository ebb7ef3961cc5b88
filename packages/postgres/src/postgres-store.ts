import { type AppendReceipt, RunEventsError } from "@tm/run-events-core";
import { receiptOf, type RunEventStore, storeClosed } from "@tm/run-events-core/store";
import { appendGroup, type MovedRuns } from "./append.ts";
import type { PostgresPool } from "./driver.ts";
import { isAmbiguous, isOutsideTransaction, storeFailure } from "./failure.ts";
import { createListener } from "./listener.ts";
import { type JoinedAppend, joinTransaction, planJoined } from "./join-transaction.ts";
import { inspectSchema } from "./inspect-schema.ts";
import { claim, listExpired, release, renew } from "./leases.ts";
import { checkPool, connectOf, queryOfPool } from "./pool.ts";
import {
  namingQueryOf,
  type Query,
  queryOf,
  sturdyQueryOf,
  timedQueryOf,
  withRetries,
} from "./query.ts";
import { readPages } from "./read.ts";
import { createRun, deleteRun, listRuns, purgeRuns, selectRun } from "./runs.ts";
import { printMigrations } from "./schema.ts";
import { createStatements } from "./statements.ts";
import { createWakes, SLOW_POLL_MS } from "./wakes.ts";

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
export interface PostgresStore extends RunEventStore {
  /**
   * Makes or updates the tables, and the schema if there is none. Many processes may call it at once; where nothing is to be
   * done it writes nothing.
   * @throws RunEventsError `store_unavailable`, also for a newer schema that this program must not touch. @see S19
   */
  migrate(): Promise<void>;
  /**
   * Checks that this is the primary, that the tables are of this program's schema, that their unique indexes are there and valid,
   * and that no row-level security hides all of their rows. @throws RunEventsError `store_unavailable`. @see S10, S19
   */
  verify(): Promise<void>;
  /**
   * Appends inside the transaction that the caller has open: the events are there exactly if the caller commits, and watches
   * ring after that. The run stays locked for others' appends until then, and those that came in one group with such an
   * append get their answers with it: so append last, and commit soon. A refusal leaves the transaction as it was; a failure
   * may not, as Postgres has it.
   * @throws RunEventsError `not_found`, `run_finished`, `fenced`, `sequence_conflict`, `idempotency_key_reused`; as
   * `planEvents`; `store_unavailable`. TypeError if no transaction is open, or for an `ownerId` that is there and undefined.
   */
  appendInTransaction(append: JoinedAppend): Promise<AppendReceipt>;
}

/** How late a look for what was not notified may be, in milliseconds. */
const LOOK_GRACE_MS = 500;
/** How long a statement of a probe may hold a connection, in milliseconds. */
const PROBE_MS = 10_000;

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
  checkPool(pool, "pool");
  if (listenPool !== pool) checkPool(listenPool, "listenPool");
  const sql = createStatements(schema);
  if (listenPool === pool && pool.options?.max === 1) {
    throw new TypeError("Expected a pool of 2 or more connections, or a `listenPool`.");
  }
  const query = withRetries(queryOfPool(pool));
  const connect = connectOf(pool);
  const connectListener = connectOf(listenPool);
  const wakes = createWakes({
    query,
    sql,
    listen:
      connectListener &&
      ((on) =>
        createListener({
          ...on,
          connect: connectListener,
          channel: schema,
          notify: sql.notify,
          query,
        })),
  });
  // What listens on one of the pool's connections and hears shows that they are sessions.
  const isSession = (): boolean => listenPool === pool && wakes.isProven();
  const sturdyQuery =
    connect === null ? query : withRetries(sturdyQueryOf(connect, namingQueryOf(isSession)));
  const probeQuery = connect === null ? query : timedQueryOf(connect, PROBE_MS);
  let probing: Promise<number> | null = null;
  let durability: RunEventStore["capabilities"]["durability"] = "unknown";
  let isVerified = false;
  let verifying: Promise<void> | null = null;
  let closing: Promise<void> | null = null;

  /** Once a store: so that an old program does not write into a newer schema, nor a new one into an older. */
  function verifyOnce(): Promise<void> {
    if (isVerified) return Promise.resolve();
    verifying ??= verifyOn(query).finally(() => (verifying = null));
    return verifying;
  }

  /** Appends go on meanwhile, unless it fails. */
  async function verifyOn(connection: Query): Promise<void> {
    try {
      if (!(await inspect(connection))) throw schemaMissing();
      isVerified = true;
    } catch (error) {
      isVerified = false;
      throw error;
    }
  }

  /** One at a time, so that a hanging database costs one connection. */
  function probe(): Promise<number> {
    probing ??= guard(async () => {
      await verifyOn(probeQuery);
      const [row] = (await probeQuery(sql.probe)) as readonly [{ readonly nowMs: unknown }];
      return Number(row.nowMs);
    }).finally(() => (probing = null));
    return probing;
  }

  async function inspect(connection: Query): Promise<boolean> {
    const state = await inspectSchema(connection, sql);
    ({ durability } = state);
    return state.complete;
  }

  /** Where the default isolation is stricter than READ COMMITTED, whoever waited for another's migration trips over it. */
  async function unlessMigrated(error: unknown): Promise<void> {
    if (!(await inspect(query))) throw error;
  }

  /** @throws RunEventsError for what the driver throws. */
  async function guard<T>(work: () => Promise<T>): Promise<T> {
    if (closing !== null) throw storeClosed();
    try {
      return await work();
    } catch (error) {
      throw storeFailure(error);
    }
  }

  /** Runs work on the store's tables. @throws RunEventsError for what the driver throws. */
  function perform<T>(work: () => Promise<T>): Promise<T> {
    return guard(async () => {
      await verifyOnce();
      return work();
    });
  }

  return {
    get capabilities() {
      return {
        // What a PGlite database stores its files on, it does not tell.
        durability: connect === null ? "unknown" : durability,
        shared: connect !== null,
        joinsTransaction: true,
        losesAcknowledgements: true,
        // A PGlite database is in this process.
        appendsAtOnce: connect === null ? 1 : 2,
        wakeDeadlineMs: SLOW_POLL_MS + LOOK_GRACE_MS,
      };
    },
    migrate: () =>
      guard(async () => {
        if (!(await inspect(query))) await query(printMigrations(schema)).catch(unlessMigrated);
        await verifyOn(query);
      }),
    verify: () => guard(() => verifyOn(query)),
    async createRun(request) {
      const outcome = await perform(() => createRun(query, sql, request));
      if (outcome.outcome === "created") wakes.tell([{ runId: request.runId }]);
      return outcome;
    },
    async append(requests) {
      const placed = requests.map((request, place) => ({ request, place }));
      const moved: MovedRuns = new Map();
      try {
        return await perform(() =>
          appendGroup(query, sturdyQuery, sql, placed, moved).catch(inDoubt),
        );
      } finally {
        wakes.tell([...moved.values()]);
      }
    },
    read: (queries) => perform(() => readPages(sturdyQuery, sql, queries)),
    getRun: (runId) => perform(() => selectRun(query, sql, runId)),
    listRuns: (listQuery) => perform(() => listRuns(query, sql, listQuery)),
    async deleteRun(runId, ownerId) {
      const outcome = await perform(() => deleteRun(query, sql, runId, ownerId));
      if (outcome === "deleted") wakes.tell([{ runId }]);
      return outcome;
    },
    // A lost answer leaves open which worker has the run: only a claim with the same key finds out.
    claim: (request) => perform(() => claim(sturdyQuery, sql, request).catch(inDoubt)),
    renew: (request) => perform(() => renew(sturdyQuery, sql, request)),
    release: (request) => perform(() => release(sturdyQuery, sql, request)),
    listExpired: (request) => perform(() => listExpired(query, sql, request)),
    async purge(request) {
      const gone = await perform(() => purgeRuns(query, sql, request));
      wakes.tell(gone.map((runId) => ({ runId })));
      return gone;
    },
    probe,
    watch(runId, wake) {
      if (closing !== null) return { ready: rejected(storeClosed()), stop() {} };
      return { ready: Promise.resolve(), stop: wakes.add(runId, wake) };
    },
    async appendInTransaction(append) {
      const { client } = append;
      const request = planJoined(append);
      const moved: MovedRuns = new Map();
      const outcome = await guard(async () => {
        // On the pool this would wait for a connection, and the callers' transactions may have them all.
        if (!isVerified) await verifyOn(queryOf(client));
        return joinTransaction(client, sql, request, moved);
      }).catch((error: unknown) => {
        throw isOutsideTransaction(error) ? noTransaction(error) : error;
      });
      for (const run of moved.values()) wakes.joined(run);
      return receiptOf(outcome ?? { outcome: "not_found" });
    },
    close() {
      closing ??= wakes.close();
      return closing;
    },
  };
}

function inDoubt(error: unknown): never {
  throw storeFailure(error, isAmbiguous(error));
}

function noTransaction(cause: unknown): TypeError {
  return new TypeError("Expected a `client` with an open transaction.", { cause });
}

function schemaMissing(): RunEventsError {
  return new RunEventsError(
    "store_unavailable",
    "The tables are missing or of an older schema: call `migrate()`.",
    { retryable: false },
  );
}

/** Whoever does not wait for `ready` learns of the failure from the next read. */
function rejected(error: Error): Promise<never> {
  const ready = Promise.reject(error);
  ready.catch(() => {});
  return ready;
}
