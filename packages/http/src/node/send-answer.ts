import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { type Clock, afterTurn } from "@tm/run-events-core/wire";
import type { Reply } from "../exchange/exchange.ts";

/** How long to read and discard the rest of a refused body before the connection is closed, in milliseconds. */
const LINGER_MS = 5_000;
/** The pause between two pieces of a long body that is discarded, in milliseconds: 4 MiB take 3.2 s. */
const PACE_MS = 50;
/** The longest body that is given to node:http as text, in characters. */
const SHORT_BODY = 4_096;
/** How much is written or discarded at a time, in bytes. A client that reads less of an answer within the limit has stalled. */
const PIECE_BYTES = 65_536;
/** How much of an answer is written in a turn of the event loop, in bytes: the system could take megabytes at once. */
const TURN_BYTES = 262_144;

/** How long a client may take to read one piece of an answer. */
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
  const isLong = isLeft && lengthOf(request) > PIECE_BYTES;
  // Over HTTP/2 an unread body blocks only its own stream.
  const closes = isLong && request.httpVersionMajor === 1;
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
    if (isLeft) discardRest(request, response, isLong);
    return stop;
  }
  // Not ended: node:http would close the connection with it, and a client that is still sending could lose the answer.
  if (data === "") response.flushHeaders();
  else response.write(data);
  discardRest(request, response, true);
  return startStall(response, stall).stop;
}

/** The body's length by its headers. Without a `Content-Length` a body in chunks, or over HTTP/2, may have any length. */
function lengthOf(request: IncomingMessage): number {
  const { headers } = request;
  const stream = streamOf(request);
  const isOpen =
    stream === null ? headers["transfer-encoding"] !== undefined : !stream.endAfterHeaders;
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
 * Reads the rest of a body and discards it: to close while the client is still sending would reset the connection, and could lose
 * the answer. A long rest is read slowly. So a client that sends all before it reads gets its answer too, and a client that floods
 * the server has to wait.
 * @see clause W49 in `WIRE.md`
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
