/** A request of a test, as it goes over the wire. */
export interface Call {
  /** Default `GET`, with a body `POST`. */
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text, bytes, or pieces that are sent one by one, without a `Content-Length`. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Breaks the request off. */
  readonly signal?: AbortSignal;
}

/** The method of a call. */
export function methodOf({ method, body }: Call): string {
  return method ?? (body === undefined ? "GET" : "POST");
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body's value. @throws SyntaxError if it is not JSON. */
  json(): Readonly<Record<string, unknown>>;
}

/** Puts an answer together. */
export function createAnswer(
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): Answer {
  return { status, headers, text, json: () => JSON.parse(text) as Record<string, unknown> };
}

/** A JSON body as a call. */
export function post(path: string, body: unknown, headers: Call["headers"] = {}): Call {
  return {
    method: "POST",
    path,
    headers: { authorization: "Bearer ada", "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  };
}
