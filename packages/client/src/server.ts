import {
  RunEventsError,
  type RunEventsErrorCode,
  type RunEventsErrorDetails,
} from "@tm/run-events-core";
import { linkAbort } from "./link-abort.ts";
import { authorise, type Credential } from "./credential.ts";

/** How long an answer may take, in milliseconds. */
const ANSWER_MS = 20_000;

/** Where the server is and who asks. */
export interface ServerOptions {
  /** Such as `https://api.example.com`; a slash at its end is ignored. Default: the page's own origin. */
  readonly baseUrl?: string;
  /** Default `"session"`. */
  readonly credential?: Credential;
  /** Asks in place of the host's own `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

/** A request. */
export interface Call {
  readonly path: string;
  readonly method?: "GET" | "POST" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** A request whose answer is read whole. */
export interface WholeCall extends Call {
  /** How long it may take, in milliseconds. Default 20,000. */
  readonly answerMs?: number;
}

/** A server as this package asks it. */
export interface Server {
  /**
   * The answer, once its head is there.
   * @throws RunEventsError of the problem's code if it is no success; `store_unavailable`, retryable, if there is none; the
   * signal's reason
   */
  ask(call: Call): Promise<Response>;
  /**
   * The answer's JSON.
   * @throws as `ask`; `store_unavailable` if it takes too long; `internal`, retryable, for an answer that is no JSON object
   */
  askJson<T>(call: WholeCall): Promise<T>;
}

/** Talks to a server. */
export function createServer(options: ServerOptions): Server {
  const { credential = "session", fetch = globalThis.fetch } = options;
  const baseUrl = (options.baseUrl ?? "").replace(/\/$/, "");

  async function ask({ path, method = "GET", headers, body, signal }: Call): Promise<Response> {
    const { headers: own, credentials } = await authorise(credential);
    signal.throwIfAborted();
    const response = await reaching(
      fetch(baseUrl + path, {
        method,
        headers: { ...headers, ...own },
        credentials,
        signal,
        // What is asked twice has changed since, as a rule.
        cache: "no-store",
        ...(body === undefined ? {} : { body }),
      }),
      signal,
    );
    if (response.ok) return response;
    throw errorOf(response, await reaching(response.text(), signal));
  }

  return {
    ask,
    async askJson<T>({ answerMs = ANSWER_MS, ...call }: WholeCall): Promise<T> {
      const { signal, abort, unlink } = linkAbort(call.signal);
      const tooLate = setTimeout(() => {
        abort(new RunEventsError("store_unavailable", "The server did not answer in time."));
      }, answerMs);
      try {
        const response = await ask({ ...call, signal });
        const value = parseObject(await reaching(response.text(), signal));
        if (value !== null) return value as T;
      } finally {
        clearTimeout(tooLate);
        unlink();
      }
      throw new RunEventsError("internal", "The answer is not that of a run-events server.", {
        retryable: true,
      });
    },
  };
}

/** Any failure to reach the server, or to hear it out, is one that may be over later. */
export async function reaching<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    signal.throwIfAborted();
    throw new RunEventsError("store_unavailable", "The server could not be reached.", { cause });
  }
}

const CODES: Readonly<Record<number, RunEventsErrorCode>> = {
  401: "unauthenticated",
  404: "not_found",
  429: "too_many_requests",
};

/** The error of an answer, which need not be a problem of ours: a proxy may have made it. @see W3 */
function errorOf({ status, headers }: Response, text: string): RunEventsError {
  const retryable = status === 429 || status >= 500 || status === 408;
  const problem = parseObject(text) as
    | ({ readonly code?: RunEventsErrorCode; readonly detail?: string } & RunEventsErrorDetails)
    | null;
  const code = problem?.code ?? CODES[status] ?? (retryable ? "store_unavailable" : "internal");
  const retryAfterMs = Number(headers.get("retry-after") ?? Number.NaN) * 1_000;
  return new RunEventsError(code, problem?.detail ?? `The server answers ${status}.`, {
    retryable,
    details: { ...problem, ...(Number.isFinite(retryAfterMs) ? { retryAfterMs } : {}) },
  });
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
