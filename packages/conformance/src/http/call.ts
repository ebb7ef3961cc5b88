import { within } from "../within.ts";

/** A request's headers by name. */
export type HeaderList = Readonly<Record<string, string>>;

/** A request as a case makes it. */
export interface Call {
  /** Default `GET`, with a body `POST`. */
  readonly method?: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: HeaderList;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
}

/** An answer that has been read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /**
   * The body as a JSON object.
   * @throws Error if it is not one
   */
  json(): Readonly<Record<string, unknown>>;
  /** The request, for messages. */
  readonly to: string;
}

/** Anything that answers requests as `fetch` does. */
export type Fetch = (request: Request) => Promise<Response>;

/** Bounds a hang, not the speed of a server. */
const ANSWER_MS = 5_000;

/** The request's name in messages. */
export function nameOf({ method, path, body }: Call): string {
  return `${method ?? (body === undefined ? "GET" : "POST")} ${path}`;
}

/** The call as fetch's request. */
export function requestOf(baseUrl: string, call: Call, signal: AbortSignal): Request {
  const { method, path, headers = {}, body } = call;
  return new Request(`${baseUrl}${path}`, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers,
    signal,
    redirect: "manual",
    ...(body === undefined ? {} : { body, duplex: "half" }),
  } as RequestInit);
}

/**
 * Sends a request and reads its answer whole.
 * @throws Error if no answer comes, or one that is not UTF-8
 */
export async function sendCall(fetch: Fetch, baseUrl: string, call: Call): Promise<Answer> {
  const left = new AbortController();
  const to = nameOf(call);
  try {
    return await within(ANSWER_MS, read(), `the answer to ${to}`);
  } finally {
    left.abort();
  }

  async function read(): Promise<Answer> {
    const response = await fetch(requestOf(baseUrl, call, left.signal));
    const bytes = await response.arrayBuffer();
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return {
      status: response.status,
      headers: response.headers,
      text,
      to,
      json: () => parse(text),
    };
  }

  function parse(text: string): Readonly<Record<string, unknown>> {
    try {
      return JSON.parse(text) as Readonly<Record<string, unknown>>;
    } catch (cause) {
      throw new Error(`Expected JSON in the answer to ${to}, got ${text.slice(0, 200)}.`, {
        cause,
      });
    }
  }
}
