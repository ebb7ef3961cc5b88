import type { IncomingMessage, ServerResponse } from "node:http";
import { bounds } from "@tm/run-events-core/wire";

/**
 * Reads a whole body, as `BodyRequest.readBody` describes. It listens to the events of the request, and does not copy a body that
 * comes in one piece. The iterator and a copy would cost an append more (`pnpm bench http-append`).
 */
export function readRequest(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  grow: (bytes: number) => void,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let first: Uint8Array | null = null;
    let all: bounds.ByteBuffer | null = null;
    let isOver = false;
    const stopClock = bounds.startDeadline(fail);

    function fail(error: Error): void {
      if (isOver) return;
      isOver = true;
      stopClock();
      // The pieces so far are dropped. The rest waits until `sendAnswer` reads it.
      first = null;
      all = null;
      request.pause();
      reject(error);
    }
    function take(piece: Uint8Array): void {
      if (isOver) return;
      try {
        if (first === null) {
          first = piece;
          if (piece.length > maxBytes) throw bounds.tooLarge(maxBytes);
          grow(piece.length);
          return;
        }
        if (all === null) {
          all = new bounds.ByteBuffer(maxBytes, grow);
          all.add(first);
        }
        all.add(piece);
      } catch (error) {
        fail(error as Error);
      }
    }
    function finish(): void {
      if (isOver) return;
      isOver = true;
      stopClock();
      resolve(all?.take() ?? first ?? new Uint8Array(0));
    }
    function breakOff(): void {
      if (!isOver) fail(new Error("The client has gone."));
    }

    if (request.readableEnded) finish();
    else if (request.destroyed) breakOff();
    else {
      request.on("data", take).on("end", finish).on("error", fail);
      response.on("close", breakOff);
      // Earlier code may have paused it.
      request.resume();
    }
  });
}

/**
 * The body that a parser has read before the handler, if the host kept it: `request.rawBody`, bytes or text. The parsed
 * `request.body` would not do: `1e2` is 100 there, and long integers have lost digits (clause W1 in `WIRE.md`).
 * @returns `null` if the body was not read, or the request has no body
 * @throws TypeError if the body was read and not kept: an empty body would be a different request
 */
export function keptBody(request: IncomingMessage): Uint8Array | null {
  const { headers } = request;
  const hasBody =
    headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  if (!request.readableDidRead || !hasBody) return null;
  const rawBody = "rawBody" in request ? request.rawBody : undefined;
  if (rawBody instanceof Uint8Array) return rawBody;
  if (typeof rawBody === "string") return Buffer.from(rawBody);
  throw new TypeError(
    "Expected a request with an unread body, got one whose body a parser has read before this handler. Mount the handler before the parser, or let the parser keep the bytes as `request.rawBody`.",
  );
}
