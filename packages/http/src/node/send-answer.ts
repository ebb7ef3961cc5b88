import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { type Clock, afterTurn } from "@tm/run-events-core/wire";
import type { Reply } from "../exchange/exchange.ts";

/** The time to read and discard the rest of a refused body before the connection is closed, in milliseconds. */
const LINGER_MS = 5_000;
/** The most bytes of a refused body that are read after its answer, as with `fetch`. */
const REST_BYTES = 4_194_304;
/** The longest body that is given to node:http as text, in characters. */
const SHORT_BODY = 4_096;
/** The number of bytes written at a time. A client that reads less of an answer within the limit has stalled. */
const PIECE_BYTES = 65_536;
/** The bytes of an answer that are written in a turn of the event loop: the system could take megabytes at once. */
const TURN_BYTES = 262_144;

/** The time that a client may take to read one piece of an answer. */
export interface Stall {
  readonly clock: Clock;
  readonly stallMs: number;
}

/**
 * Sends a complete answer. If the client reads nothing of it for `stallMs`, the connection is closed.
 * @returns what to call when the response has closed
 * @see clause W49 in `WIRE.md`
 */
export function sendAnswer(
  reply: Reply,
  request: IncomingMessage,
  response: ServerResponse,
  stall: Stall,
): () => void {
  const { status, headers, body } = reply;
  const isLeft = !request.complete;
  // A client that waits for a 100 may send its body or not. Over HTTP/2 an unread body blocks only its own stream.
  const isLong = lengthOf(request) > PIECE_BYTES || request.headers.expect !== undefined;
  const closes = isLeft && isLong && request.httpVersionMajor === 1;
  const close = closes ? { connection: "close" } : {};
  let data: Uint8Array | string = "";
  if (body === null) {
    response.writeHead(status, { ...headers, ...close });
  } else {
    // A short text is written in one piece with the head, which saves a write. A long text would be copied for that. The head
    // is then UTF-8 like the text. A header that the host has set may have another encoding.
    const isShort = body.length <= SHORT_BODY && response.getHeaderNames().length === 0;
    data = isShort || typeof body !== "string" ? body : Buffer.from(body);
    const length = String(Buffer.byteLength(data));
    response.writeHead(status, { ...headers, ...close, "content-length": length });
    if (request.method === "HEAD") data = "";
  }
  if (!closes) {
    const stop = write(response, data, stall);
    if (isLeft) discardRest(request, response);
    return stop;
  }
  // Not ended: node:http would close the connection with it, and a client that is still sending could lose the answer.
  if (data === "") response.flushHeaders();
  else response.write(data);
  discardRest(request, response);
  return startStall(response, stall).stop;
}

/** The length of a body over HTTP/1.1 by its headers. One in chunks may have any length. */
function lengthOf({ headers }: IncomingMessage): number {
  const isOpen = headers["transfer-encoding"] !== undefined;
  return Number(headers["content-length"] ?? (isOpen ? Infinity : 0));
}

/** The stream of a request that came over HTTP/2, in the compatible API of node:http2; else `null`. */
function streamOf(request: IncomingMessage): Http2ServerRequest["stream"] | null {
  const { stream }: Partial<Http2ServerRequest> = request as unknown as Http2ServerRequest;
  return stream ?? null;
}

function write(response: ServerResponse, data: Uint8Array | string, stall: Stall): () => void {
  if (typeof data === "string" || data.length <= PIECE_BYTES) {
    response.end(data);
    // The system has nearly always taken it by now.
    return response.writableLength === 0 ? ignore : startStall(response, stall).stop;
  }
  const timer = startStall(response, stall);
  let at = 0;
  let mostAt = TURN_BYTES;
  const nextTurn = (): void => {
    mostAt = at + TURN_BYTES;
    if (!response.destroyed) next();
  };
  // Waits for `drain`, not for a callback of `write`: compressors in front do not call that.
  const next = (): void => {
    timer.restart();
    while (at < data.length) {
      if (at === mostAt) {
        afterTurn(nextTurn);
        return;
      }
      const piece = data.subarray(at, at + PIECE_BYTES);
      at += piece.length;
      if (at === data.length) response.end(piece);
      else if (!response.write(piece)) return;
    }
  };
  response.on("drain", next);
  next();
  return timer.stop;
}

/** Starts a timer that closes the connection unless it is restarted or stopped in time. */
function startStall(
  response: ServerResponse,
  { clock, stallMs }: Stall,
): { readonly restart: () => void; readonly stop: () => void } {
  let stop = ignore;
  const restart = (): void => {
    stop();
    stop = clock.every(stallMs, () => {
      // The answer to a pipelined request waits for those before it.
      if (response.socket === null) return;
      stop();
      response.destroy();
    });
  };
  restart();
  return { restart, stop: () => stop() };
}

/**
 * Reads the rest of a body and discards it: closing while the client is still sending would reset the connection, and could lose
 * the answer. This way a client that sends all before it reads gets its answer too, and one that sends without an end is cut off.
 * @see clause W49 in `WIRE.md`
 */
function discardRest(request: IncomingMessage, response: ServerResponse): void {
  const limit = setTimeout(() => {
    // Over HTTP/2 the connection has other requests.
    const stream = streamOf(request);
    if (stream === null) request.destroy();
    else stream.close();
  }, LINGER_MS);
  let left = REST_BYTES;
  request.on("data", ({ length }: Uint8Array) => {
    left -= length;
    if (left <= 0) request.pause();
  });
  request.resume();
  request.once("end", () => response.end());
  request.once("close", () => clearTimeout(limit));
}

function ignore(): void {}
