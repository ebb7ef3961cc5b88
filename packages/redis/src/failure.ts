import { RunEventsError } from "@tm/run-events-core";

/** Refusals that last until the server, its disk, its memory or the user's rights are repaired, by their first word. */
const LASTING: Readonly<Record<string, string>> = {
  NOAUTH: "Redis requires a password: give the client one.",
  WRONGPASS: "Redis refused the user name or the password: check those of the client.",
  NOPERM:
    "Redis refuses the user a command, a key or a channel that the store needs: grant the rights in the package's README.",
  OOM: "Redis has reached its maxmemory: raise it, or purge runs.",
  MISCONF: "Redis cannot write to its disk: check the disk and the server's log.",
  WRONGTYPE:
    "One of the store's keys in Redis has another type: another program uses the prefix. Open the store under a different `prefix`.",
};

const PASSING: Readonly<Record<string, string>> = {
  READONLY: "The Redis is a read-only replica: connect to the master.",
  LOADING: "Redis is loading its data: wait until it has.",
  BUSY: "Redis is busy with a script: wait, or end it with SCRIPT KILL.",
  NOREPLICAS:
    "Redis has fewer replicas than its min-replicas-to-write: bring one back, or lower the setting.",
  MASTERDOWN:
    "The Redis is a replica that has lost its master: bring the master back, or connect to it.",
  CLUSTERDOWN: "The Redis Cluster is down: check its nodes and its slots.",
  MOVED: "The Redis Cluster is moving the key: wait until its slot has moved.",
  ASK: "The Redis Cluster is moving the key: wait until its slot has moved.",
  TRYAGAIN: "The Redis Cluster is moving the key: wait until its slot has moved.",
};

/** The message of a cluster's client after too many redirections. It contains the last answer. */
const LAST_REDIRECTION = /^Too many Cluster redirections\. Last error: ReplyError: ([A-Z]+)/;

/** The message of a right that the user lacks within a script. */
const REFUSED_IN_SCRIPT = /^ERR ACL failure in script/;

/** The first word of the answer, `NOPERM` also for a right that a script lacks; `null` if the server gave no answer. */
function replyCode(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (REFUSED_IN_SCRIPT.test(error.message)) return "NOPERM";
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

/**
 * Refusals by a command of the script itself, which are the same each time it is sent. What a full server refuses may have landed before, but
 * the caller finds that out by seeing the run again.
 */
const JUDGED: readonly string[] = ["OOM", "WRONGTYPE"];

/**
 * Whether a writing script that failed with this error may still have written. The client silently sends unanswered commands
 * again, perhaps to another server: its name may lead to a replica meanwhile that has not seen the first sending. So a refusal to
 * run the script does not prove that it never ran, there or elsewhere.
 * @see clause S7 in `STORE.md`
 */
export function mayHaveLanded(error: unknown): boolean {
  const code = replyCode(error);
  return code === null || !JUDGED.includes(code);
}

/** A copy of an error without ioredis' `command`, which has the payloads: a logged error must not show them. */
function withoutCommand(error: unknown): unknown {
  if (!(error instanceof Error) || !("command" in error)) return error;
  const { name, message, stack } = error;
  return Object.assign(new Error(message), { name, stack });
}

/**
 * A client's error as `store_unavailable` with that error as the cause, without its command. A `RunEventsError` stays as it is.
 * @see clause S20 in `STORE.md`
 */
export function storeFailure(error: unknown, ambiguous = false): RunEventsError {
  if (error instanceof RunEventsError) return error;
  const code = replyCode(error);
  if (code === null) {
    return new RunEventsError(
      "store_unavailable",
      "Redis cannot be reached: check that it runs, and the address of the client.",
      {
        cause: withoutCommand(error),
        ambiguous,
      },
    );
  }
  const lasting = LASTING[code];
  return new RunEventsError(
    "store_unavailable",
    lasting ?? PASSING[code] ?? "Redis failed the command: the `cause` has its error.",
    { cause: withoutCommand(error), retryable: lasting === undefined, ambiguous },
  );
}

/** The failure for an error that a script caught while it wrote to one run, as if the server had answered it; `lost` for a missing key. */
export function scriptFailure(message: string): RunEventsError {
  if (message === "lost") return runDamaged();
  const error = new Error(message);
  error.name = "ReplyError";
  return storeFailure(error, mayHaveLanded(error));
}

/**
 * The failure of a whole call: the first one, in doubt if one is in doubt or others have landed.
 * @param failures at least one
 */
export function callFailure(
  failures: readonly RunEventsError[],
  hasLanded: boolean,
): RunEventsError {
  const [first = runDamaged()] = failures;
  const { code, message, cause, retryable } = first;
  const ambiguous = hasLanded || failures.some((failure) => failure.ambiguous);
  return new RunEventsError(code, message, { cause, retryable, ambiguous });
}

/** The error of a run whose keys do not fit together, since Redis lost one or another program removed it. */
export function runDamaged(): RunEventsError {
  return new RunEventsError(
    "store_unavailable",
    "The run is damaged: one of its keys is missing in Redis. Restore it, or delete the run's keys.",
    { retryable: false },
  );
}

/** The error of a client that was closed, or has given up reconnecting: it never comes back. */
export function clientClosed(failure?: RunEventsError): RunEventsError {
  return new RunEventsError(
    "store_unavailable",
    "The Redis client is closed. Open a store on a new one.",
    { retryable: false, cause: failure?.cause, ambiguous: failure?.ambiguous ?? false },
  );
}
