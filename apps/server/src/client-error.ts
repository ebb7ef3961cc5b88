import type { Duplex } from "node:stream";
import { STATUS_CODES } from "node:http";
import { RunEventsError } from "@tm/run-events-core";
import { problemOf } from "@tm/run-events-http";

/**
 * Answers bytes that node's parser refuses, such as a bare line break in a header, with a problem, and closes the socket.
 * @param answering whether a response is under way on the socket: then the socket is only closed
 * @see clause W3 in `WIRE.md`
 */
export function refuseMalformed(error: Error, socket: Duplex, answering: boolean): void {
  if (!socket.writable || answering) {
    socket.destroy();
    return;
  }
  // A client that never closes its side must not keep the socket.
  socket.end(encodeRefusal("code" in error ? error.code : undefined), () => socket.destroy());
}

const STATUS: ReadonlyMap<unknown, number> = new Map([
  ["HPE_HEADER_OVERFLOW", 431],
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
]);

function encodeRefusal(code: unknown): string {
  const status = STATUS.get(code) ?? 400;
  const title = STATUS_CODES[status] ?? "";
  const problem = problemOf(
    new RunEventsError(
      "invalid_request",
      "Expected a whole HTTP request with headers within their bounds, got something else.",
    ),
  );
  const body = JSON.stringify({ ...(JSON.parse(problem.body) as object), status, title });
  const headers = {
    "x-content-type-options": "nosniff",
    ...problem.headers,
    "content-length": Buffer.byteLength(body),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${title}`, ...lines, "", body].join("\r\n");
}
