/** The system's codes of a server that cannot be reached, and the SQLSTATEs of one that takes no writes at the moment. */
const CODES: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  // A full disk, and too many connections.
  "53100",
  "53300",
  // Read-only, and a standby.
  "25006",
  "55000",
  // A lock or a statement took too long.
  "55P03",
  "57014",
  // Shutting down, crashed, or starting up.
  "57P01",
  "57P02",
  "57P03",
]);

/** Messages of driver errors that have no code. A message with a code may hold a name, such as a database's. */
const MESSAGE =
  /^(?:LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|MISCONF)\b|^Connection (?:terminated|is closed)|timeout|gave no answer in/;

/**
 * Whether a store that could not be opened may come back by itself, so that the start waits for it. A wrong setting, such as a password or
 * a database that does not exist, is not cured by waiting.
 */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: string };
  if (code === undefined ? MESSAGE.test(error.message) : CODES.has(code)) return true;
  const nodes = "lastNodeError" in error ? [error.lastNodeError] : [];
  const addresses: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  return [error.cause, ...nodes, ...addresses].some(isAway);
}
