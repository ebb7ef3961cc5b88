import { connect } from "node:net";
import { Conversation } from "./conversation.ts";
import type { Ask } from "./scene.ts";

/** Asks a port over a new connection, and reads the answer's bytes until the answer is whole. */
export function askSocket(port: number, ask: Ask): Conversation {
  const socket = connect(port, "127.0.0.1");
  const conversation = new Conversation(
    () => void socket.destroy(),
    (received) => isWhole(received, ask.method),
  );
  socket.on("data", (part: Buffer) => conversation.add(part));
  // A reset is one of the ways to close.
  socket.on("error", () => {});
  socket.once("close", () => conversation.end());
  socket.write(bytesOf(ask));
  return conversation;
}

function bytesOf({ method, path, headers, body, raw }: Ask): Buffer {
  if (raw !== undefined) return Buffer.from(raw);
  const length =
    body === undefined
      ? {}
      : typeof body === "string"
        ? { "content-length": String(Buffer.byteLength(body)) }
        : { "transfer-encoding": "chunked" };
  const lines = Object.entries({ ...headers, ...length }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  // Latin-1, as a head is; a body is UTF-8.
  const head = Buffer.from(
    `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}\r\n`,
    "latin1",
  );
  return Buffer.concat([head, Buffer.from(encodeBody(body))]);
}

function encodeBody(body: Ask["body"]): string {
  if (body === undefined || typeof body === "string") return body ?? "";
  const chunks = body.map((p) => `${Buffer.byteLength(p).toString(16)}\r\n${p}\r\n`);
  return `${chunks.join("")}0\r\n\r\n`;
}

/** Whether an answer on a connection that stays open is complete. @see RFC 9112, section 6 */
function isWhole(received: Buffer, method: string): boolean {
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return false;
  const head = received.toString("latin1", 0, end);
  const body = received.subarray(end + 4);
  if (head.startsWith("HTTP/1.1 1")) return isWhole(body, method);
  if (method === "HEAD" || /^HTTP\/1\.1 (?:204|304)/.test(head)) return true;
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (length !== undefined) return body.length >= Number(length);
  return (
    /^transfer-encoding: chunked/im.test(head) && body.toString("latin1").endsWith("0\r\n\r\n")
  );
}
