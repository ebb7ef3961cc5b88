import { RunEventsError } from "@tm/run-events-core";

/** Refusals that stay until somebody mends the server, its disk, its memory or the user's rights, by their first word. */
const LASTING: Readonly<Record<string, string>> = {
  NOAUTH: "Redis asks for a password.",
  WRONGPASS: "Redis refused the user name or the password.",
  NOPERM: "Redis refuses the user a command, a key or a channel that the store needs.",
  OOM: "Redis has reached its maxmemory.",
  MISCONF: "Redis cannot write to its disk.",
  WRONGTYPE: "One of the store's keys in Redis holds something else.",
};

const PASSING: Readonly<Record<string, string>> = {
  READONLY: "The Redis is a read-only replica.",
  LOADING: "Redis is loading its data.",
  BUSY: "Redis is busy with a script.",
  NOREPLICAS: "Redis has fewer replicas than it asks for.",
  MASTERDOWN: "The Redis is a replica that has lost its master.",
  CLUSTERDOWN: "The Redis Cluster is down.",
  MOVED: "The Redis Cluster is moving the key.",
  ASK: "The Redis Cluster is moving the key.",
  TRYAGAIN: "The Redis Cluster is moving the key.",
};

/** What a cluster's client says after too many redirections: its text contains the last answer. */
const LAST_REDIRECTION = /^Too many Cluster redirections\. Last error: ReplyError: ([A-Z]+)/;

/** The first word of what the server answered; `null` if it is no answer of the server's. */
function replyCode(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (error.name === "ReplyError") return /^[A-Z]+/.exec(error.message)?.[0] ?? "";
  return LAST_REDIRECTION.exec(error.message)?.[1] ?? null;
}

/** Whether the server does not know the script by its hash. */
export function isUnknownScript(error: unknown): boolean {
  return replyCode(error) === "NOSCRIPT";
}

/** Whether the server is full. */
export function isOutOfMemory(error: unknown): boolean {
  return replyCode(error) === "OOM";
}

/** Refusals by the script itself, after it has looked for the result of an earlier sending. */
const JUDGED: readonly string[] = ["OOM", "WRONGTYPE"];

/**
 * Whether a writing script that failed with this error may still have written. The client silently sends unanswered commands
 * again, perhaps to another server: its name may lead to a replica meanwhile that has not seen the first sending. So a refusal to
 * run the script does not prove that it never ran, there or elsewhere.
 * @see S7
 */
export function mayHaveLanded(error: unknown): boolean {
  const code = replyCode(error);
  return code === null || !JUDGED.includes(code);
}

/** An error as it is, but for the command that ioredis hangs on it: there the payloads are, and whoever logs it shows them. */
function withoutCommand(error: unknown): unknown {
  if (!(error instanceof Error) || !("command" in error)) return error;
  const { name, message, stack } = error;
  return Object.assign(new Error(message), { name, stack });
}

/**
 * A client's error as `store_unavailable`, itself as the cause, without the command; a `RunEventsError` stays as it is.
 * @see S20
 */
export function storeFailure(error: unknown, ambiguous = false): RunEventsError {
  if (error instanceof RunEventsError) return error;
  const code = replyCode(error);
  if (code === null) {
    return new RunEventsError("store_unavailable", "Redis cannot be reached.", {
      cause: withoutCommand(error),
      ambiguous,
    });
  }
  const lasting = LASTING[code];
  return new RunEventsError(
    "store_unavailable",
    lasting ?? PASSING[code] ?? "Redis failed the command.",
    { cause: withoutCommand(error), retryable: lasting === undefined, ambiguous },
  );
}

/** An error that a script caught while it wrote to one run, as if the server had answered it. */
export function scriptFailure(message: string): RunEventsError {
  const error = new Error(message);
  error.name = "ReplyError";
  return storeFailure(error, mayHaveLanded(error));
}

/** The error of a run whose keys do not fit together: somebody else has removed one of them. */
export function runDamaged(): RunEventsError {
  return new RunEventsError("store_unavailable", "A part of the run's keys is missing in Redis.", {
    retryable: false,
  });
}

/** The error of a client that was closed, or has given up reconnecting: it never comes back. */
export function clientClosed(failure?: RunEventsError): RunEventsError {
  return new RunEventsError(
    "store_unavailable",
    "The Redis client is closed. Open a store on a new one.",
    { retryable: false, cause: failure?.cause, ambiguous: failure?.ambiguous ?? false },
  );
}
