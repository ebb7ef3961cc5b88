import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { type Clock, afterTurn } from "@tm/run-events-core/wire";
import type { Reply } from "../exchange/exchange.ts";

/** How long to read and discard the rest of a refused body before the connection is closed, in milliseconds. */
const LINGER_MS = 5_000;
/** Of a body longer than a piece, one is read at a time, with so many milliseconds in between: 4 MiB in 3.2 s. */
const PACE_MS = 50;
/** Up to how many characters a body is given to node:http as text. */
const SHORT_BODY = 4_096;
/** What is written or thrown away at a time, in bytes: a client that takes less of an answer within the limit has stalled. */
const PIECE_BYTES = 65_536;
/** What is written of an answer in a turn of the event loop, in bytes: the system may take megabytes at once. */
const TURN_BYTES = 262_144;

/** How long a client may take to read one piece of an answer. */
export interface Stall {
  readonly clock: Clock;
  readonly stallMs: number;
}

/**
 * Sends a complete answer. If the client reads nothing of it for `stallMs`, the connection is closed.
 * @returns what to call when the response has closed
 * @see W49
 */
export function sendAnswer(
  reply: Reply,
  request: IncomingMessage,
  response: ServerResponse,
  stall: Stall,
): () => void {
  const { status, headers, body } = reply;
  const isLeft = !request.complete;
  const isLong = isLeft && lengthOf(request) > PIECE_BYTES;
  // Over HTTP/2 a body that is not read holds up its own stream alone.
  const closes = isLong && request.httpVersionMajor === 1;
  const close = closes ? { connection: "close" } : {};
  let data: Uint8Array | string = "";
  if (body === null) {
    response.writeHead(status, { ...headers, ...close });
  } else {
    // A short text is written in one piece with the head, which saves a write. A long text would be copied for it. The head
    // is then UTF-8 like the text, which a header of the host's own need not be.
    const isShort = body.length <= SHORT_BODY && response.getHeaderNames().length === 0;
    data = isShort || typeof body !== "string" ? body : Buffer.from(body);
    const length = String(Buffer.byteLength(data));
    response.writeHead(status, { ...headers, ...close, "content-length": length });
    if (request.method === "HEAD") data = "";
  }
  if (!closes) {
    const stop = write(response, data, stall);
    if (isLeft) discardRest(request, response, isLong);
    return stop;
  }
  // Not ended: node:http would close the connection with it, and a client that is still sending could lose the answer.
  if (data === "") response.flushHeaders();
  else response.write(data);
  discardRest(request, response, true);
  return startStall(response, stall).stop;
}

/** The body's length as its head says it. Without a `Content-Length` one in chunks, or over HTTP/2, may be of any length. */
function lengthOf(request: IncomingMessage): number {
  const { headers } = request;
  const stream = streamOf(request);
  const isOpen =
    stream === null ? headers["transfer-encoding"] !== undefined : !stream.endAfterHeaders;
  return Number(headers["content-length"] ?? (isOpen ? Infinity : 0));
}

/** The stream of a request that came over HTTP/2, which node:http2 dresses up as one of node:http; else `null`. */
function streamOf(request: IncomingMessage): Http2ServerRequest["stream"] | null {
  const { stream }: Partial<Http2ServerRequest> = request as unknown as Http2ServerRequest;
  return stream ?? null;
}

function write(response: ServerResponse, data: Uint8Array | string, stall: Stall): () => void {
  if (typeof data === "string" || data.length <= PIECE_BYTES) {
    response.end(data);
    // The system has taken it, as nearly always.
    return response.writableLength === 0 ? ignore : startStall(response, stall).stop;
  }
  const subscription = startStall(response, stall);
  let at = 0;
  let mostAt = TURN_BYTES;
  const nextTurn = (): void => {
    mostAt = at + TURN_BYTES;
    if (!response.destroyed) next();
  };
  // Waits for `drain`, not for a callback of `write`: compressors in front do not call that.
  const next = (): void => {
    subscription.restart();
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
  return subscription.stop;
}

/** Closes the connection unless it is started again, or stopped, in time. */
function startStall(
  response: ServerResponse,
  { clock, stallMs }: Stall,
): { readonly restart: () => void; readonly stop: () => void } {
  let stop = ignore;
  const restart = (): void => {
    stop();
    stop = clock.every(stallMs, () => {
      stop();
      response.destroy();
    });
  };
  restart();
  return { restart, stop: () => stop() };
}

/**
 * Reads what is left of a body and throws it away: closing on a client that is still sending would reset the connection, and the
 * answer could be lost with it. A long rest is read slowly. So a client that sends all before it reads gets its answer too, and
 * one that floods waits instead of the server.
 * @see W49
 */
function discardRest(request: IncomingMessage, response: ServerResponse, isLong: boolean): void {
  const limit = setTimeout(() => {
    // Over HTTP/2 the connection has other requests.
    const stream = streamOf(request);
    if (stream === null) request.destroy();
    else stream.close();
  }, LINGER_MS);
  let pace: NodeJS.Timeout | undefined;
  if (isLong) {
    let read = 0;
    request.on("data", ({ length }: Uint8Array) => {
      read += length;
      if (read >= PIECE_BYTES) request.pause();
    });
    request.pause();
    pace = setInterval(() => {
      read = 0;
      request.resume();
    }, PACE_MS);
  } else request.resume();
  request.once("end", () => response.end());
  request.once("close", () => {
    clearTimeout(limit);
    clearInterval(pace);
  });
}

function ignore(): void {}
