import { RunEventsError } from "@tm/run-events-core";
import { driverErrorOf, isSqlState, sqlErrorOf } from "./sql-error.ts";
import { EVENTS_PRIMARY_KEY } from "./tables.ts";

const ENDED_POOL = "The store's pool has been ended: end it after the store is closed.";

/**
 * Failures that last until the settings, the rights or the tables are repaired, by their codes, or by a driver's message without a code.
 * Neither a restart nor a failover causes one.
 */
const LASTING: Readonly<Record<string, string>> = {
  "28000": "The database refused the user: check the user and the rules in `pg_hba.conf`.",
  "28P01": "The database refused the password: check the password of the pool.",
  "3D000": "The database does not exist: create it, or correct its name.",
  "3F000": "The tables are missing: call `migrate()`.",
  "42501":
    "The database user lacks a right: grant it the rights on the schema, its tables and its sequences.",
  "42703": "The tables are of another schema: call `migrate()`.",
  "42P01": "The tables are missing: call `migrate()`.",
  // Several statements check this without inserting anything.
  "42P10":
    "A unique index of the tables is missing or not valid: create it as in `printMigrations()`, or REINDEX it.",
  // postgres.js: nothing was sent.
  CONNECTION_ENDED: ENDED_POOL,
  "Cannot use a pool after calling end on the pool": ENDED_POOL,
  "PGlite is closed": ENDED_POOL,
};

const UNREACHED =
  "The database cannot be reached in time: check that it runs, and the network to it.";
const BROKEN =
  "The connection to the database broke: see the database's log, and check the network.";

/** Failures that a restart or a failover ends, or causes for a moment. */
const PASSING: Readonly<Record<string, string>> = {
  "25001":
    "A transaction that was begun with `BEGIN` is open on the database: end it, or use PGlite's `transaction()`.",
  "25P02": "An earlier statement of your transaction has failed: roll it back.",
  // A standby refuses even the store's reading statements with this code.
  "25006": "The database is read-only or a standby: connect to the primary, or make it writable.",
  "53100": "The database's disk is full: free some space.",
  "53300":
    "The database has too many connections: lower the `max` of the pools, or raise `max_connections`.",
  "55P03":
    "The run was locked for too long: end the transaction that has it, or raise `lock_timeout`.",
  "57014": "The database cancelled the statement: check its `statement_timeout`.",
  "57P01": "The database is shutting down: wait until it is back.",
  "57P02": "The database has crashed: wait until it is back, and see its log.",
  "57P03": "The database is starting up or shutting down: wait until it is back.",
  ECONNREFUSED:
    "The database cannot be reached: check that it runs, and the host and port of the pool.",
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
  ENOTFOUND: "The database's host name is not known: check the host of the pool.",
  // postgres.js has these codes where pg has messages.
  CONNECT_TIMEOUT: UNREACHED,
  CONNECTION_CLOSED: BROKEN,
  CONNECTION_DESTROYED: BROKEN,
  "timeout exceeded when trying to connect":
    "None of the pool's connections became free in time: check that the database answers. If it does, raise the pool's `max`, or hold its connections for less time.",
  "Query read timeout":
    "The database did not answer in time: it may wait for its disk, a lock or a synchronous standby.",
  "Connection terminated due to connection timeout": UNREACHED,
  "Connection terminated unexpectedly": BROKEN,
  "Client has encountered a connection error and is not queryable": BROKEN,
};

/** The connection was never opened, so nothing was sent. */
const UNSENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "CONNECT_TIMEOUT",
  "CONNECTION_ENDED",
  "PGlite is closed",
]);
/**
 * The server ended the session, maybe after the statement had committed. The severity does not always show it: it is in the
 * language of the server's messages, and some drivers leave it out.
 */
const ENDED = new Set(["57P01", "57P02", "57P04", "57P05"]);

/** A conflict, a deadlock, and on PGlite a transaction of the program's own that is open or has failed. */
const CONTENTION = new Set(["40001", "40P01", "25001", "25P02"]);

/** Whether another transaction was in the way of the statement, so that it is worth another try at once. */
export function isContention(error: unknown): boolean {
  return CONTENTION.has(sqlErrorOf(error).code);
}

/**
 * Whether the connection ran nothing, since it does not know the statement's name, has another statement under it, or one whose
 * columns have changed.
 */
export function isStatementLost(error: unknown): boolean {
  const { code } = sqlErrorOf(error);
  return code === "26000" || code === "42P05" || code === "0A000";
}

/**
 * Whether an idempotency key of the statement has landed before. The index may have any name, since a rebuild renames it. Two
 * indexes can refuse an event: this one is not the primary key.
 */
export function isKeyTaken(error: unknown): boolean {
  return isDuplicate(error) && !isHeadBehind(error);
}

/** Whether the run already has an event at the next sequence of its head. */
function isHeadBehind(error: unknown): boolean {
  return isDuplicate(error) && sqlErrorOf(error).constraint.startsWith(EVENTS_PRIMARY_KEY);
}

/** Whether a unique index refused a row of the statement. */
function isDuplicate(error: unknown): boolean {
  return sqlErrorOf(error).code === "23505";
}

/** An append in the caller's transaction came after the end of that transaction, or without one. */
export class TransactionOver extends TypeError {
  constructor() {
    super(
      "Expected `client` to be inside the transaction in which the append began, but that one is over, or none was open. Nothing was appended. Send `BEGIN` first, and await each append before you commit or roll back.",
    );
  }
}

/** Whether the server answered the statement with an error, and its session continues. */
export function isAnswer(error: unknown): boolean {
  const { code, severity } = sqlErrorOf(error);
  if (!isSqlState(code) || ENDED.has(code) || code.startsWith("08")) return false;
  // These severities end the session under any code: at a time limit of the server, or when a pooler has lost the server.
  return severity !== "FATAL" && severity !== "PANIC";
}

/**
 * Whether to keep a connection after its statement failed. One to a read-only server or a standby is closed: its host name may
 * lead to another server by now.
 */
export function keepsConnection(error: unknown): boolean {
  return isAnswer(error) && sqlErrorOf(error).code !== "25006";
}

/**
 * Whether the failed statement may have committed. A statement that the server answered with an error has not, since each is a
 * whole transaction.
 * @see clause S7 in `STORE.md`
 */
export function isAmbiguous(error: unknown): boolean {
  if (error instanceof RunEventsError) return error.ambiguous;
  if (isAnswer(error) || UNSENT.has(sqlErrorOf(error).code)) return false;
  return !(error instanceof Error && UNSENT.has(error.message));
}

/**
 * A driver's error as `store_unavailable` with that error as the cause. A `RunEventsError` only gains `ambiguous`.
 * @see clause S20 in `STORE.md`
 */
export function storeFailure(error: unknown, ambiguous = false): RunEventsError {
  if (error instanceof RunEventsError) {
    if (error.ambiguous || !ambiguous) return error;
    const { code: kind, message, cause, details, retryable } = error;
    return new RunEventsError(kind, message, { cause, details, retryable, ambiguous });
  }
  const cause = withoutValues(error);
  if (isHeadBehind(error))
    return runDamaged("has events after the last sequence in its row", cause);
  const { code } = sqlErrorOf(error);
  const message = cause instanceof Error ? cause.message : "";
  const lasting = LASTING[code] ?? LASTING[message];
  return new RunEventsError(
    "store_unavailable",
    lasting ??
      PASSING[code] ??
      PASSING[message] ??
      "The database failed: the `cause` has its error.",
    { cause, retryable: lasting === undefined, ambiguous },
  );
}

/** Throws a driver's error of a statement that appends or claims. */
export function inDoubt(error: unknown): never {
  throw storeFailure(error, isAmbiguous(error));
}

/**
 * Members that may quote a statement's values, such as a payload, which no log may show. The server's `detail` has the row, and its
 * `where` the parameters if it logs them. PGlite has `params`, postgres.js has `parameters` and `args`.
 */
const QUOTING = ["detail", "where", "params", "parameters", "args"] as const;

/** The driver's error without the values of its statement. */
function withoutValues(error: unknown): unknown {
  const own = driverErrorOf(error, (message) => Object.hasOwn({ ...PASSING, ...LASTING }, message));
  if (!(own instanceof Error)) return own;
  const isRemoved = QUOTING.map((name) => Reflect.deleteProperty(own, name)).every(Boolean);
  if (isRemoved) return own;
  const { name, message, stack } = own;
  return Object.assign(new Error(message), { name, stack, ...sqlErrorOf(own) });
}

/**
 * The error of a run whose rows are inconsistent.
 * @param what ends a sentence about the run
 */
export function runDamaged(what: string, cause?: unknown): RunEventsError {
  return new RunEventsError("store_unavailable", `The run is damaged: it ${what}.`, {
    cause,
    retryable: false,
  });
}

/** The error of a run whose row neither takes a change nor has one from another writer: a policy or a trigger is in the way. */
export function runStubborn(): RunEventsError {
  return runDamaged("neither takes a change nor conflicts with another one");
}
