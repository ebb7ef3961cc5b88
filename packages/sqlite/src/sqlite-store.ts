import type { AppendReceipt, EventDraft } from "@tm/run-events-core";
import {
  appenderOf,
  type AppendRequest,
  MAX_BATCH_EVENTS,
  MAX_PAYLOAD_BYTES,
  ownerIdOf,
  parseExpectedSequence,
  parseIdempotencyKey,
  planEvents,
  receiptOf,
  releaseRun,
  renewLease,
  type RunEventStore,
} from "@tm/run-events-core/store";
import { appendGroup } from "./append.ts";
import { createConnection } from "./connection.ts";
import type { SqliteDatabase } from "./driver.ts";
import { changeLease, claim, listExpired } from "./leases.ts";
import { purgeRuns } from "./purge.ts";
import { readPage } from "./read.ts";
import { createRun, deleteRun, listRuns, selectRun } from "./runs.ts";
import { tablesOf } from "./tables.ts";
import { createWakes } from "./wakes.ts";

/** Settings of `createSqliteStore`. */
export interface SqliteStoreOptions {
  /** What the names of the store's tables begin with: an identifier. Default `run_events_`. */
  readonly tablePrefix?: string;
  /**
   * What an acknowledged append survives: power loss with `FULL`, only the crash of processes with `NORMAL`.
   * Default `FULL`. @see S6
   */
  readonly synchronous?: "FULL" | "NORMAL";
  /** How often to look for commits of other processes while somebody watches, in milliseconds. Default 10. */
  readonly pollMs?: number;
}

/** An append into the caller's own transaction. */
export interface JoinedAppend {
  readonly runId: string;
  /** 1 to 1,000, as `planEvents` takes them. */
  readonly events: readonly EventDraft[];
  /** Treats runs of other owners as missing. Without it every run may be appended to; `undefined` is a TypeError. */
  readonly ownerId?: string;
  /** 1 to 128 printable ASCII characters. */
  readonly idempotencyKey?: string;
  /** Refuse unless the run's `lastSequence` is this. */
  readonly expectedSequence?: number;
  /** The fence of the lease that the caller has; without it a claimed run takes nothing. @see S22 */
  readonly fence?: number;
}

/** A store on SQLite. */
export interface SqliteStore extends RunEventStore {
  /**
   * Makes or updates the tables. Many processes may call it at once; where nothing is to be done it writes nothing.
   * @throws RunEventsError `store_unavailable`, also for a newer schema that this program must not touch. @see S19
   */
  migrate(): Promise<void>;
  /** Checks that the tables are of this program's schema. @throws RunEventsError `store_unavailable`. @see S19 */
  verify(): Promise<void>;
  /**
   * Appends inside the transaction that the caller has open on the handle: the events are there exactly if the caller
   * commits, and watches ring after that. Synchronous. A refusal or failure leaves the transaction as it was, except
   * where SQLite itself ends it (a full disk). In a transaction that began without `IMMEDIATE` the write lock may be
   * refused: then `store_unavailable`, and the caller begins again.
   * @throws RunEventsError `not_found`, `run_finished`, `fenced`, `sequence_conflict`, `idempotency_key_reused`; as
   * `planEvents`; `store_unavailable`.
   * @throws TypeError without an open transaction, or before `migrate()` or `verify()` has been awaited once.
   */
  appendInTransaction(append: JoinedAppend): AppendReceipt;
  /**
   * As the contract says. The run's rows go in one synchronous transaction: while a very long run is deleted, other
   * writers and this process stand still.
   * @see S17
   */
  deleteRun: RunEventStore["deleteRun"];
  /**
   * As the contract says. A call ends with the run that reaches 2,000 events, since other writers and this process stand still
   * while it lasts.
   * @see S24
   */
  purge: RunEventStore["purge"];
  /**
   * The size of the `-wal` file beside the database in bytes, `null` without one. It grows while any connection of any process
   * keeps a read transaction open, and shrinks to 64 MiB at most some commits after that has ended.
   */
  walBytes(): number | null;
}

const LIMITS = { maxPayloadBytes: MAX_PAYLOAD_BYTES, maxBatchEvents: MAX_BATCH_EVENTS };

/** What a look, and the queries behind it, may come late, in milliseconds, with some 20,000 runs watched. */
const LOOK_GRACE_MS = 500;

/**
 * A store in a SQLite file that several processes of one machine may share, on the caller's handle: better-sqlite3's
 * `Database` or node:sqlite's `DatabaseSync`. Give each handle to one store; call `migrate()` once before the first use.
 *
 * The first call sets the handle up: `journal_mode=WAL`, `synchronous`, `foreign_keys=ON` and a `busy_timeout` of a few
 * milliseconds, since SQLite's own waiting would stop the event loop; the store waits for locks without stopping it, 10 s
 * at most. Calls that come while the caller has a transaction open on the handle wait until it has ended; with
 * better-sqlite3 the caller must not keep an iterator open across an `await`. A file needs SQLite 3.51.3 (or 3.50.7,
 * 3.44.6) and a local disk.
 *
 * An I/O error at a commit, and only that, leaves open whether the appends landed: their error is `ambiguous`.
 *
 * @throws TypeError for a bad option. @throws RunEventsError `store_unavailable` if the handle is closed.
 * @example
 * const store = createSqliteStore(new Database("run-events.db"));
 * await store.migrate();
 * const runs = createRunEvents({ store });
 */
export function createSqliteStore(
  db: SqliteDatabase,
  options: SqliteStoreOptions = {},
): SqliteStore {
  const { tablePrefix = "run_events_", synchronous = "FULL", pollMs = 10 } = options;
  if (synchronous !== "FULL" && synchronous !== "NORMAL") {
    throw new TypeError(
      `Expected \`synchronous\` to be FULL or NORMAL, got \`${String(synchronous)}\`.`,
    );
  }
  if (!(Number.isFinite(pollMs) && pollMs > 0)) {
    throw new TypeError(`Expected \`pollMs\` to be a positive number, got \`${pollMs}\`.`);
  }
  const connection = createConnection(db, tablesOf(tablePrefix), synchronous);
  const { inFile } = connection;
  const wakes = createWakes(db, pollMs);

  return {
    capabilities: {
      durability: inFile ? (synchronous === "FULL" ? "power" : "process") : "memory",
      shared: inFile,
      joinsTransaction: true,
      losesAcknowledgements: false,
      appendsAtOnce: 1,
      wakeDeadlineMs: pollMs + LOOK_GRACE_MS,
    },
    migrate: () => connection.migrate(),
    verify: () => connection.verify(),
    async createRun(request) {
      const outcome = await connection.write((open) => createRun(open, request));
      if (outcome.outcome === "created") wakes.changed(request.runId);
      return outcome;
    },
    async append(requests) {
      const { outcomes, moved } = await connection.write((open) =>
        appendGroup(open, requests, Date.now()),
      );
      for (const run of moved) wakes.moved(run);
      return outcomes;
    },
    read: (queries) =>
      connection.perform((open) => open.read(() => queries.map((query) => readPage(open, query)))),
    getRun: (runId) => connection.perform((open) => selectRun(open, runId)),
    listRuns: (query) => connection.perform((open) => listRuns(open, query)),
    async deleteRun(runId, ownerId) {
      const outcome = await connection.write((open) => deleteRun(open, runId, ownerId));
      if (outcome === "deleted") wakes.changed(runId);
      return outcome;
    },
    claim: (request) => connection.write((open) => claim(open, request, Date.now())),
    renew: (request) =>
      connection.write((open) =>
        changeLease(open, request.runId, (run) => renewLease(run, request, Date.now())),
      ),
    release: (request) =>
      connection.write((open) =>
        changeLease(open, request.runId, (run) => releaseRun(run, request)),
      ),
    listExpired: (query) => connection.perform((open) => listExpired(open, query, Date.now())),
    async purge(request) {
      const gone = await connection.write((open) => purgeRuns(open, request, Date.now()));
      for (const runId of gone) wakes.changed(runId);
      return gone;
    },
    watch(runId, wake) {
      const stop = wakes.add(runId, wake);
      const ready = connection.perform((open) => {
        if (inFile) wakes.start(open);
      });
      // Whoever does not wait for `ready` learns of the failure from the next read.
      ready.catch(() => {});
      return { ready, stop };
    },
    probe: () => connection.probe(),
    walBytes: () => connection.walBytes(),
    appendInTransaction(append) {
      const request = requestOf(append);
      const { outcomes, moved } = connection.join((open) =>
        open.nested(() => appendGroup(open, [request], Date.now())),
      );
      for (const run of moved) wakes.joined(run.runId);
      return receiptOf(outcomes[0] ?? { outcome: "not_found" });
    },
    async close() {
      connection.close();
      wakes.close();
    },
  };
}

/** Checks an append as core does. @throws as `appendInTransaction` */
function requestOf(append: JoinedAppend): AppendRequest {
  const { runId, events, idempotencyKey, expectedSequence, fence } = append;
  const ownerId = ownerIdOf(append);
  return {
    ...planEvents(events, LIMITS),
    runId,
    ownerId,
    idempotencyKey: idempotencyKey === undefined ? null : parseIdempotencyKey(idempotencyKey),
    expectedSequence: parseExpectedSequence(expectedSequence),
    appender: appenderOf(fence),
  };
}
