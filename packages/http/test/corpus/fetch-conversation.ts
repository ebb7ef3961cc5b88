import { Readable } from "node:stream";
import type { Handler } from "../../src/index.ts";
import { Conversation } from "./conversation.ts";
import type { Ask } from "./scene.ts";

/** Asks the door without a socket, and reads the answer to its end. */
export function askFetch(handler: Handler, ask: Ask): Conversation {
  const left = new AbortController();
  const conversation = new Conversation(() => left.abort());
  async function read(): Promise<void> {
    const { status, headers, body } = await handler.fetch(requestOf(ask, left.signal));
    const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
    conversation.add(Buffer.from(`${status}\r\n${lines.join("")}\r\n`));
    for await (const piece of body ?? []) conversation.add(piece as Uint8Array);
  }
  read()
    .catch((error: unknown) => conversation.add(Buffer.from(`! ${String(error)}`)))
    .finally(() => conversation.end());
  return conversation;
}

function requestOf({ method, path, headers, body }: Ask, signal: AbortSignal): Request {
  const hasBody = body !== undefined && body !== "";
  const length = typeof body === "string" ? { "content-length": lengthOf(body) } : {};
  return new Request(`http://127.0.0.1${path}`, {
    method,
    headers: { ...headers, ...length },
    signal,
    ...(hasBody ? { body: typeof body === "string" ? body : streamOf(body), duplex: "half" } : {}),
  } as RequestInit);
}

function lengthOf(body: string): string {
  return String(Buffer.byteLength(body));
}

function streamOf(pieces: readonly string[]): ReadableStream<Uint8Array> {
  const bytes = pieces.map((piece) => Buffer.from(piece));
  return Readable.toWeb(Readable.from(bytes)) as unknown as ReadableStream<Uint8Array>;
}
