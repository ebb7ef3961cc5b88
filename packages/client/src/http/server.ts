import { RunEventsError } from "@tm/run-events-core";
import { movePath, parseBasePath } from "@tm/run-events-core/wire";
import { createAuthorise, type Credential } from "./credential.ts";
import { linkAbort } from "./link-abort.ts";
import { FOR_EVER_MS, pause } from "./pause.ts";
import { fits } from "./fits.ts";
import { ANSWER_SECONDS, type Call } from "./run-calls.ts";
import { type CallOptions, retrying } from "./retrying.ts";
import { errorOf, noAnswer, strangeAnswer, unanswered } from "./server-errors.ts";
import { serverUrl } from "./server-url.ts";

/** The server's address, and the credential for it. */
export interface ServerOptions {
  /**
   * The server's address, such as `https://api.example.com`. A slash at its end is ignored.
   * @defaultValue the page's own origin
   */
  readonly baseUrl?: string;
  /**
   * The path of all runs on the server: the `basePath` of its handler. A slash at its end is ignored.
   * @defaultValue `"/v1/agent-runs"`
   * @see clause W50 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly basePath?: string | undefined;
  /**
   * The credential: the session of the browser, a token or a cookie.
   * @defaultValue `"session"`
   */
  readonly credential?: Credential;
  /**
   * Makes the requests.
   * @defaultValue the host's `fetch`
   */
  readonly fetch?: typeof globalThis.fetch;
  /**
   * The longest pause between two attempts, in milliseconds.
   * @defaultValue 30,000
   */
  readonly mostDelayMs?: number;
}

/** Sends calls to a server. */
export interface Server {
  /**
   * Opens a live stream. Resolves with the answer once its head has arrived.
   * @param onHead called when the head of an answer has arrived
   * @throws RunEventsError with the problem's code if the server refuses
   * @throws RunEventsError `store_unavailable`, retryable, without an answer of the server itself
   * @throws TypeError if `fetch` cannot send the URL or a header
   * @throws the signal's reason
   * @throws what the credential's function throws
   */
  askStream(call: Call, signal: AbortSignal, onHead: () => void): Promise<Response>;
  /**
   * Resolves with what the call's `read` makes of the answer.
   * @throws as `askStream`
   * @throws RunEventsError `store_unavailable`, retryable, if the answer takes longer than the call's `seconds`, or is malformed
   */
  askJson<T>(call: Call, signal?: AbortSignal): Promise<T>;
  /**
   * Asks again while the server does not answer. Use it only for calls that may be repeated.
   * @param cut aborts the request under way. Without it, the signal of `how` does so, too
   * @throws as `askJson`, once a retry cannot help or `patienceMs` is over. The error is `ambiguous` if any attempt may have had its effect
   */
  ask<T>(call: Call, how: CallOptions, cut?: AbortSignal): Promise<T>;
}

/**
 * Creates what sends calls to a server.
 * @throws TypeError if the credential cannot be sent, or if `basePath` is not a path
 */
export function createServer(options: ServerOptions): Server {
  const { baseUrl = "", credential = "session", fetch = globalThis.fetch } = options;
  const authorise = createAuthorise(credential);
  const basePath = parseBasePath(options.basePath);
  const locate = (call: Call): Call => ({ ...call, path: movePath(call.path, basePath) });

  async function ask(call: Call, signal: AbortSignal): Promise<Response> {
    const { href, origin } = serverUrl(baseUrl, call.path);
    const { headers, credentials } = await Promise.race([
      authorise(),
      pause(FOR_EVER_MS, signal) as Promise<never>,
    ]);
    // `fetch` ignores the members of a call that it does not know.
    const request = {
      ...call,
      // A call that opens a session has its own credential.
      headers: headersOf({ ...headers, ...call.headers }),
      credentials,
      signal,
    };
    const lost = (cause: unknown): RunEventsError => noAnswer(origin, cause);
    const response = await awaitAnswer(fetch(href, request), signal, lost);
    if (response.ok) return response;
    // A refusal may have no JSON, such as a proxy's.
    throw errorOf(call, response, await response.json().catch(() => null));
  }

  async function askJson<T>(unmoved: Call, whole?: AbortSignal): Promise<T> {
    const call = locate(unmoved);
    const { seconds = ANSWER_SECONDS } = call;
    const { signal, abort } = linkAbort(whole);
    const giveUp = (): void => abort(unanswered(`The server gave no answer within ${seconds} s.`));
    const tooLate = setTimeout(giveUp, seconds * 1_000);
    try {
      const response = await ask(call, signal);
      const text = await awaitAnswer(response.text(), signal, brokenOff);
      return readAnswer<T>(call, text, response);
    } finally {
      clearTimeout(tooLate);
      abort();
    }
  }

  return {
    askJson,
    ask: async <T>(call: Call, how: CallOptions, cut = how.signal) =>
      retrying(() => askJson<T>(call, cut), how, options.mostDelayMs),
    async askStream(unmoved, signal, onHead) {
      const call = locate(unmoved);
      const response = await ask(call, signal);
      onHead();
      const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
      if (isStream !== true) throw strangeAnswer(call, response);
      return response;
    },
  };
}

/** The error of an answer whose body broke off, or was given up for a reason of its own. */
export function brokenOff(cause: unknown): RunEventsError {
  return cause instanceof RunEventsError ? cause : unanswered("The answer broke off.", cause);
}

/**
 * Awaits an answer, or its body.
 * @throws the signal's reason if it has aborted, else what `lost` makes of the failure
 */
export async function awaitAnswer<T>(
  work: Promise<T>,
  signal: AbortSignal,
  lost: (cause: unknown) => RunEventsError,
): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    signal.throwIfAborted();
    throw lost(cause);
  }
}

/** @throws RunEventsError `store_unavailable`, retryable, if the answer does not come from a run-events server */
function readAnswer<T>(call: Call, text: string, response: Response): T {
  const { answer, read = (json) => json } = call;
  try {
    const json: unknown = answer && JSON.parse(text);
    if (answer ? fits(json, answer) : response.status === 204) {
      return read(json, response, text) as T;
    }
  } catch (error) {
    if (error instanceof RunEventsError) throw error;
    // The text is not JSON, or `read` refused it.
  }
  throw strangeAnswer(call, response);
}

/** @throws TypeError for a value that no header can have. The host's own error would show the value, which may be a secret. */
function headersOf(values: Readonly<Record<string, string>>): Headers {
  try {
    return new Headers(values);
  } catch {
    throw new TypeError("Expected a credential that fits a header, without a line break.");
  }
}
