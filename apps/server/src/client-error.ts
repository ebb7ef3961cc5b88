import type { Duplex } from "node:stream";
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { RunEventsError } from "@tm/run-events-core";
import { problemOf, type Reply } from "@tm/run-events-http";

/** The time that a client has to read its answer and close the connection, in milliseconds. */
const LINGER_MS = 5_000;

/**
 * Answers bytes that node's parser refuses, such as a bare line break in a header or a broken chunk, with a problem, and closes the
 * socket. Answers to whole requests before these bytes come first.
 * @param last the last response under way on the socket
 * @see clause W3 in `WIRE.md`
 */
export function refuseMalformed(error: Error, socket: Duplex, last?: ServerResponse): void {
  const refuse = (): void => {
    // The bytes may belong to a request that was answered before it was whole.
    const isAnswered = last?.req.complete === false && last.headersSent;
    if (!isAnswered && socket.writable)
      socket.end(encodeRefusal("code" in error ? error.code : undefined));
    // Closed at once, the connection would be reset while the client is still sending, and the answer could be lost.
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
  };
  if (!socket.writable) socket.destroy();
  else if (last === undefined) refuse();
  else if (last.req.complete) last.once("close", refuse);
  else if (last.socket === null) last.once("socket", refuse);
  else refuse();
}

const STATUS: ReadonlyMap<unknown, number> = new Map([
  ["HPE_HEADER_OVERFLOW", 431],
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
]);

/**
 * Refuses a request without exactly one `Host`, which HTTP/1.0 may leave out: node:http would answer it without a problem document. Also
 * refuses a request of HTTP/1.0 with `Transfer-Encoding`, since it is unclear where such a request ends.
 * @returns `null` if the request has what it needs
 * @see clause W3 in `WIRE.md`, RFC 9112, sections 3.2 and 6.1
 */
export function refusalOfMessage(request: IncomingMessage): Reply | null {
  const { headers, rawHeaders, httpVersion } = request;
  if (httpVersion === "1.0" && headers["transfer-encoding"] !== undefined)
    return refusal(
      400,
      "Expected a request of HTTP/1.0 without `Transfer-Encoding`, got one with it. Send `Content-Length`, or use HTTP/1.1.",
    );
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === "host");
  if (hosts.length === 1 || (hosts.length === 0 && httpVersion === "1.0")) return null;
  return refusal(400, `Expected one \`Host\` header, got ${hosts.length}.`);
}

/** The problem of an `Expect` header that is not `100-continue`. @see RFC 9110, section 10.1.1 */
export function refusalOfExpect(): Reply {
  return refusal(417, "Expected `100-continue` in `Expect`, or no such header, got another value.");
}

function refusal(status: number, detail: string): Reply & { readonly body: string } {
  const problem = problemOf(new RunEventsError("invalid_request", detail));
  const body = JSON.stringify({ ...(JSON.parse(problem.body) as object), status });
  return { status, headers: { ...problem.headers, connection: "close" }, body };
}

function encodeRefusal(code: unknown): string {
  const problem = refusal(
    STATUS.get(code) ?? 400,
    "Expected a whole HTTP request with headers within their bounds, got something else.",
  );
  const { status, body } = problem;
  const headers = { ...problem.headers, "content-length": Buffer.byteLength(body) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, ...lines, "", body].join("\r\n");
}
