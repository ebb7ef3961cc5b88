import type { RunEventsErrorCode } from "@tm/run-events-core";
import type { OpenStream } from "@tm/run-events-core/wire";
import { bounds } from "@tm/run-events-core/wire";

/** A request, as both doors give it to the routes. */
export interface Exchange extends bounds.BodyRequest {
  readonly method: string;
  /** The path as it was sent: not decoded, without the query. */
  readonly path: string;
  /** The path as the client sent it. It differs from `path` if the framework has cut off a part. @see clause W50 in `WIRE.md` */
  readonly wholePath: string;
  readonly query: URLSearchParams;
  /** The body's bytes as they arrive. Rejects if the client breaks off. This or `readBody`, once at most. */
  body(): AsyncIterator<Uint8Array, unknown>;
  /** Whether the client has gone. */
  isGone(): boolean;
  /** Aborted when the client has gone. Made at the first use: a live stream does not need it. */
  readonly signal: AbortSignal;
  /**
   * Calls the task when the client has gone, at once if it has. One task at a time.
   * @returns removes the task
   */
  readonly onGone: (task: () => void) => () => void;
}

export type Headers = Readonly<Record<string, string>>;

/** A whole answer, for a host to send in the form of its framework. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** `null` for an answer without a body. A long text has been encoded to bytes. */
  readonly body: string | Uint8Array | null;
  /** The code of a problem. */
  readonly code?: RunEventsErrorCode;
}

/** The answer that opens a live stream. */
export interface StreamReply {
  readonly status: 200;
  readonly headers: Headers;
  readonly stream: OpenStream;
}

/**
 * Ends the work on a read whose client has gone. Not for changes: a client may send one without waiting for the answer.
 * @throws Error if the client has gone; no client sees its message
 * @see clause W49 in `WIRE.md`
 */
export function stopIfGone(exchange: Pick<Exchange, "isGone">): void {
  if (exchange.isGone()) throw new Error("The client has gone.");
}

/** Keeps browsers from guessing an answer's type from its content. */
export const NO_SNIFF: Headers = { "x-content-type-options": "nosniff" };

/**
 * The headers of a live stream. `no-transform` keeps compressors away, and `X-Accel-Buffering` keeps nginx from buffering.
 * @see clause W21 in `WIRE.md`
 */
export const STREAM_HEADERS: Headers = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-store, no-transform",
  "x-accel-buffering": "no",
};

/** A reply with a JSON body that no cache may keep. */
export function jsonReply(status: number, body: string | Uint8Array, headers: Headers = {}): Reply {
  return {
    status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "private, no-store",
      ...headers,
    },
    body,
  };
}

/** A reply without a body, by default 204. */
export function emptyReply(status = 204, headers: Headers = {}): Reply {
  return {
    status,
    headers: { "cache-control": "private, no-store", ...headers },
    body: null,
  };
}
