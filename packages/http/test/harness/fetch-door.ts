import { Readable } from "node:stream";
import { createHandler, type HandlerOptions } from "../../src/index.ts";
import type { Accounts } from "./accounts.ts";
import { type Answer, type Call, createAnswer, methodOf } from "./answer.ts";
import type { Door } from "./door.ts";
import { createLiveStream, type LiveStream } from "./live-stream.ts";

type Options = Omit<HandlerOptions<Request>, "authenticate">;

/** The door without a socket. */
export async function openFetchDoor(options: Options, accounts: Accounts): Promise<Door> {
  const handler = createHandler({
    ...options,
    authenticate: (request, wanted) =>
      accounts.identify((name) => request.headers.get(name), wanted),
  });
  const streams = new Set<LiveStream>();
  return {
    port: null,
    drain: handler.drain,
    stats: handler.stats,
    connections: async () => 0,
    inFlight: () => [],
    clientErrors: () => [],
    read: () => 0,
    async send(call): Promise<Answer> {
      const response = await handler.fetch(requestOf(call));
      return createAnswer(
        response.status,
        Object.fromEntries(response.headers),
        await response.text(),
      );
    },
    async follow(call) {
      const left = new AbortController();
      const response = await handler.fetch(requestOf({ ...call, signal: left.signal }));
      const { status, body } = response;
      const headers = Object.fromEntries(response.headers);
      const reader = body?.getReader();
      const stream = createLiveStream({ status, headers }, chunksOf(reader), () => {
        left.abort();
        // A client that has left does not want the rest.
        reader?.cancel().catch(() => {});
      });
      streams.add(stream);
      return stream;
    },
    async close() {
      for (const stream of streams) stream.leave();
    },
  };
}

function requestOf(call: Call): Request {
  const { path, headers = {}, body, signal } = call;
  return new Request(`http://127.0.0.1${path}`, {
    method: methodOf(call),
    headers,
    ...(body === undefined ? {} : { body: bodyOf(body), duplex: "half" }),
    ...(signal === undefined ? {} : { signal }),
  } as RequestInit);
}

function bodyOf(body: NonNullable<Call["body"]>): BodyInit {
  return typeof body === "string" || body instanceof Uint8Array
    ? (body as BodyInit)
    : (Readable.toWeb(Readable.from(body)) as unknown as BodyInit);
}

async function* chunksOf(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (reader === undefined) return;
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}
