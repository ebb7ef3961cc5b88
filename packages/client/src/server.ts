import {
  RunEventsError,
  type RunEventsErrorCode,
  type RunEventsErrorDetails,
} from "@tm/run-events-core";
import { authorise, type Credential } from "./credential.ts";
import { linkAbort } from "./link-abort.ts";
import { pause } from "./pause.ts";

/** How long an answer may take that the server does not hold, in milliseconds. */
const ANSWER_MS = 20_000;

/** Longer than any request, in milliseconds. */
const FOR_EVER_MS = 1_000_000_000;

/** Where the server is and who asks. */
export interface ServerOptions {
  /** Such as `https://api.example.com`; a slash at its end is ignored. Default: the page's own origin. */
  readonly baseUrl?: string;
  /** Default `"session"`. */
  readonly credential?: Credential;
  /** Asks in place of the host's own `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

/** A page, against whose address paths are resolved; other hosts have none. */
interface Page {
  readonly location?: { readonly href: string };
}

/** A request. */
interface Call {
  readonly path: string;
  /** Default `GET`. */
  readonly method?: "POST" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** A server as this package asks it. */
export interface Server {
  /**
   * The answer, once its head is there.
   * @throws RunEventsError of the problem's code if it is no success; `store_unavailable`, retryable, if there is none; the
   * signal's reason; a TypeError if there is no such URL or header; what the credential's function throws
   */
  ask(call: Call): Promise<Response>;
  /**
   * The answer's JSON.
   * @param heldSeconds how long the server may hold it
   * @param member what the server's own answer has, and others have not. Default `lastSequence`
   * @throws as `ask`; `store_unavailable` if it takes 20 s longer, or does not have it
   */
  askJson<T>(call: Call, heldSeconds?: number, member?: string): Promise<T>;
}

/** Talks to a server. */
export function createServer(options: ServerOptions): Server {
  const { baseUrl = "", credential = "session", fetch = globalThis.fetch } = options;

  async function ask({ path, headers, signal, ...init }: Call): Promise<Response> {
    const { headers: own, credentials } = await Promise.race([
      authorise(credential),
      pause(FOR_EVER_MS, signal) as Promise<never>,
    ]);
    const { href } = new URL(
      baseUrl.replace(/\/$/, "") + path,
      (globalThis as Page).location?.href,
    );
    const request = { ...init, headers: headersOf({ ...headers, ...own }), credentials, signal };
    const response = await reaching(fetch(href, request), signal);
    if (response.ok) return response;
    throw errorOf(response, await response.json().catch(() => null));
  }

  return {
    ask,
    async askJson<T>(call: Call, heldSeconds = 0, member = "lastSequence"): Promise<T> {
      const { signal, abort } = linkAbort(call.signal);
      const tooLate = setTimeout(() => abort(unheard()), ANSWER_MS + heldSeconds * 1_000);
      try {
        const response = await ask({ ...call, signal });
        const json: Record<string, unknown> | null = await reaching(response.json(), signal);
        if (json?.[member] === undefined) throw unheard();
        return json as T;
      } finally {
        clearTimeout(tooLate);
        abort();
      }
    },
  };
}

/** Any failure to reach the server, or to hear it out, is one that may be over later. */
async function reaching<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw lossOf(cause, signal);
  }
}

/** What a failed attempt to reach the server, or to hear it out, is. @throws the signal's reason, if it is aborted */
export function lossOf(cause: unknown, signal: AbortSignal): RunEventsError {
  signal.throwIfAborted();
  return unheard(cause);
}

/**
 * The error of a server that is not reached, not heard out, or not itself: something on the way may have answered for it. It is
 * worth another attempt.
 */
export function unheard(cause?: unknown): RunEventsError {
  return new RunEventsError("store_unavailable", "The server is away.", { cause });
}

/** @throws TypeError for a value that no header can have. The host's own error would tell it, and it may be a secret. */
function headersOf(values: Readonly<Record<string, string>>): Headers {
  try {
    return new Headers(values);
  } catch {
    throw new TypeError("No header can have this.");
  }
}

const CODES: Readonly<Record<number, RunEventsErrorCode>> = {
  401: "unauthenticated",
  404: "not_found",
  413: "payload_too_large",
  429: "too_many_requests",
};

/** The error of an answer, which need not be a problem of ours: a proxy may have made it. @see W3 */
function errorOf({ status, headers }: Response, problem: Problem | null): RunEventsError {
  const retryable = status === 408 || status === 429 || status >= 500;
  const code = problem?.code ?? CODES[status] ?? (retryable ? "store_unavailable" : "internal");
  // A date is no number.
  const retryAfterMs = Number(headers.get("retry-after")) * 1_000;
  return new RunEventsError(code, problem?.detail ?? `HTTP ${status}`, {
    retryable,
    details: { ...problem, ...(retryAfterMs > 0 && { retryAfterMs }) },
  });
}

interface Problem extends RunEventsErrorDetails {
  readonly code?: RunEventsErrorCode;
  readonly detail?: string;
}
