import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "@tm/run-events-core";
import type { Outgoing } from "./exchange.ts";

/** How long to read and discard the rest of a refused body before the connection is closed, in milliseconds. */
const LINGER_MS = 5_000;
/** Up to this many characters, a body is given to node:http as text. */
const SHORT_BODY = 4_096;
/** How much is written at a time, in bytes: a client that reads less within the limit has stalled. */
const PIECE_BYTES = 65_536;

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
  reply: Outgoing,
  request: IncomingMessage,
  response: ServerResponse,
  stall: Stall,
): () => void {
  const { status, headers, body } = reply;
  let data: Uint8Array | string = "";
  if (body === null) {
    response.writeHead(status, headers);
  } else {
    // A short text goes out in one piece with the head, which saves a twentieth of an append; a long one would be copied
    // for it. The head is then UTF-8 like the text, which a header of the host's own need not be.
    const isShort = body.length <= SHORT_BODY && response.getHeaderNames().length === 0;
    data = isShort || typeof body !== "string" ? body : Buffer.from(body);
    const length = String(Buffer.byteLength(data));
    response.writeHead(status, { ...headers, "content-length": length });
    if (request.method === "HEAD") data = "";
  }
  const stop = write(response, data, stall);
  if (!request.complete) discardRest(request);
  return stop;
}

function write(response: ServerResponse, data: Uint8Array | string, stall: Stall): () => void {
  if (typeof data === "string" || data.length <= PIECE_BYTES) {
    response.end(data);
    // The system has taken it, as nearly always.
    return response.writableLength === 0 ? ignore : startStall(response, stall).stop;
  }
  const watch = startStall(response, stall);
  let at = 0;
  // Waits for `drain`, not for a callback of `write`: compressors in front do not call that.
  const next = (): void => {
    watch.restart();
    while (at < data.length) {
      const piece = data.subarray(at, at + PIECE_BYTES);
      at += piece.length;
      if (at === data.length) response.end(piece);
      else if (!response.write(piece)) return;
    }
  };
  response.on("drain", next);
  next();
  return watch.stop;
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

/** Closing on a client that is still sending would reset the connection, and the answer could be lost with it. */
function discardRest(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  request.once("close", () => clearTimeout(timer));
  request.resume();
}

function ignore(): void {}
