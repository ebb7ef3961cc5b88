import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "@tm/run-events-core";
import type { Outgoing } from "./exchange.ts";

/** How long what is left of a refused body is read and thrown away before the connection is cut, in milliseconds. */
const LINGER_MS = 5_000;
/** Up to how many characters a body is given to node:http as text. */
const SHORT_BODY = 4_096;
/** What is written at a time, in bytes: a client that takes less of it within the limit has stalled. */
const PIECE_BYTES = 65_536;

/** How long an answer may stand without a piece of it being taken. */
export interface Stall {
  readonly clock: Clock;
  readonly stallMs: number;
}

/**
 * Sends a whole answer. A client that takes nothing of it for `stallMs` is cut off.
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
  // By `drain` and not by a callback of `write`, which compressors in front of it do not call.
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

/** Cuts the connection off unless it is started again, or stopped, in time. */
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
