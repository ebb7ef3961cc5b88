import { RunEventsError } from "@tm/run-events-core";
import { KEY_INDEX } from "./tables.ts";

/** Failures that stay until somebody mends the settings, the rights or the server. */
const LASTING: Readonly<Record<string, string>> = {
  "25006": "The database is read-only.",
  "28000": "The database refused the user.",
  "28P01": "The database refused the password.",
  "3D000": "There is no such database.",
  "3F000": "The tables are missing: call `migrate()`.",
  "42501": "The database user lacks a right.",
  "42703": "The tables are of another schema: call `migrate()`.",
  "42P01": "The tables are missing: call `migrate()`.",
  "53100": "The database's disk is full.",
};

const PASSING: Readonly<Record<string, string>> = {
  "53300": "The database has too many connections.",
  "57014": "The database cancelled the statement.",
  "57P01": "The database is shutting down.",
  "57P02": "The database has crashed.",
  "57P03": "The database is starting up or shutting down.",
  ECONNREFUSED: "The database cannot be reached.",
  ENOTFOUND: "The database's host is not known.",
};

/** The connection was never made, so nothing was sent. */
const UNSENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
/**
 * The server ended the session, maybe after the statement had committed. Its severity does not say so everywhere: that comes
 * in the language of the server's messages, and not from every driver.
 */
const ENDED = new Set(["57P01", "57P02"]);
/** No class of them begins with E, as the system's EPIPE does. */
const SQLSTATE = /^[0-9A-DF-Z][0-9A-Z]{4}$/;

/** A driver's SQLSTATE or system error code; empty if it carries none. */
function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : "";
}

/** Whether another transaction was in the way, so that the same statement is worth another try at once. */
export function isContention(error: unknown): boolean {
  const code = codeOf(error);
  return code === "40001" || code === "40P01";
}

/**
 * Whether the connection does not know a statement by the name that it was given, or has another under it, or one whose
 * columns have changed; it ran nothing.
 */
export function isStatementLost(error: unknown): boolean {
  const code = codeOf(error);
  return code === "26000" || code === "42P05" || code === "0A000";
}

/** Whether an idempotency key of the statement has landed before. */
export function isKeyTaken(error: unknown): boolean {
  return (
    codeOf(error) === "23505" &&
    (error as { readonly constraint?: unknown }).constraint === KEY_INDEX
  );
}

/** Whether a failure means that no transaction is open where one was expected. */
export function isOutsideTransaction(error: unknown): boolean {
  return error instanceof RunEventsError && codeOf(error.cause) === "25P01";
}

/** Whether the server answered the statement with an error, and its session goes on. */
export function isAnswer(error: unknown): boolean {
  const code = codeOf(error);
  if (!SQLSTATE.test(code) || ENDED.has(code) || code.startsWith("08")) return false;
  // Whatever its code, one of these ends the session: a time limit of the server's, a pooler that has lost it.
  const { severity } = error as { readonly severity?: unknown };
  return severity !== "FATAL" && severity !== "PANIC";
}

/**
 * Whether the failed statement may have committed all the same. One that the server answered with an error of its own has
 * not: each is a transaction of its own.
 * @see S7
 */
export function isAmbiguous(error: unknown): boolean {
  if (error instanceof RunEventsError) return error.ambiguous;
  return !isAnswer(error) && !UNSENT.has(codeOf(error));
}

/**
 * A driver's error as `store_unavailable`, itself as the cause; a `RunEventsError` stays as it is, but for `ambiguous`.
 * @see S20
 */
export function storeFailure(error: unknown, ambiguous = false): RunEventsError {
  if (error instanceof RunEventsError) {
    if (error.ambiguous || !ambiguous) return error;
    const { code: kind, message, cause, details, retryable } = error;
    return new RunEventsError(kind, message, { cause, details, retryable, ambiguous });
  }
  const code = codeOf(error);
  const lasting = LASTING[code];
  return new RunEventsError(
    "store_unavailable",
    lasting ?? PASSING[code] ?? "The database failed.",
    { cause: error, retryable: lasting === undefined, ambiguous },
  );
}
