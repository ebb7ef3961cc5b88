import type { RunEventsError } from "@tm/run-events-core";
import { createAuthorise, type Credential } from "./credential.ts";
import { linkAbort } from "./link-abort.ts";
import { pause } from "./pause.ts";
import { fits } from "./fits.ts";
import type { Call } from "./run-calls.ts";
import { errorOf, noAnswer, strangeAnswer, unanswered } from "./server-errors.ts";
import { serverUrl } from "./server-url.ts";

/** How long an answer may take that the server does not hold back, in seconds. */
const ANSWER_SECONDS = 20;

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
  /** The longest pause between two attempts, in milliseconds. Default 30,000. */
  readonly mostDelayMs?: number;
}

/** A server as this package asks it. */
export interface Server {
  /**
   * The answer, once its head is there.
   * @throws RunEventsError of the problem's code if the server refuses; `store_unavailable`, retryable, if there is no answer,
   * or one that is not the server's own; the signal's reason; a TypeError if there is no such URL or header; what the
   * credential's function throws
   */
  ask(call: Call, signal: AbortSignal): Promise<Response>;
  /**
   * What the call reads of the answer.
   * @throws as `ask`; `store_unavailable` if it takes 20 s longer than the server may hold it, or is not the server's own
   */
  askJson<T>(call: Call, signal: AbortSignal): Promise<T>;
}

/** Talks to a server. @throws TypeError for a credential that cannot be sent */
export function createServer(options: ServerOptions): Server {
  const { baseUrl = "", credential = "session", fetch = globalThis.fetch } = options;
  const authorise = createAuthorise(credential);

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
    throw errorOf(call, response, await response.json().catch(() => null));
  }

  return {
    ask,
    async askJson<T>(call: Call, whole: AbortSignal): Promise<T> {
      const { heldSeconds = 0 } = call;
      const { signal, abort } = linkAbort(whole);
      const seconds = ANSWER_SECONDS + heldSeconds;
      const giveUp = (): void =>
        abort(unanswered(`The server gave no answer within ${seconds} s.`));
      const tooLate = setTimeout(giveUp, seconds * 1_000);
      try {
        const response = await ask(call, signal);
        const text = await awaitAnswer(response.text(), signal, brokenOff);
        return readAnswer<T>(call, text, response);
      } finally {
        clearTimeout(tooLate);
        abort();
      }
    },
  };
}

/** A live stream, once its head has come. @param onHead called when something has answered @throws as `ask` */
export async function askStream(
  server: Server,
  call: Call,
  signal: AbortSignal,
  onHead: () => void,
): Promise<Response> {
  const response = await server.ask(call, signal);
  onHead();
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (isStream !== true) throw strangeAnswer(call, response);
  return response;
}

/** The error of an answer that broke off amid its body. */
export function brokenOff(cause: unknown): RunEventsError {
  return unanswered("The answer broke off.", cause);
}

/** Reads an answer to its end. @throws the signal's reason if it is aborted, else what `lost` makes of the failure */
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

/** @throws RunEventsError `store_unavailable`, retryable, if the answer is not the server's own */
function readAnswer<T>(call: Call, text: string, response: Response): T {
  const { answer, read = (json) => json } = call;
  try {
    const json: unknown = answer && JSON.parse(text);
    if (answer ? fits(json, answer) : response.status === 204) {
      return read(json, response, text) as T;
    }
  } catch {
    // No JSON, or no such as this version can read.
  }
  throw strangeAnswer(call, response);
}

/** @throws TypeError for a value that no header can have. The host's own error would tell it, and it may be a secret. */
function headersOf(values: Readonly<Record<string, string>>): Headers {
  try {
    return new Headers(values);
  } catch {
    throw new TypeError("No header can have this.");
  }
}
