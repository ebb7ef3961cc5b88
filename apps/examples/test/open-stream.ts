import { createParser, type EventSourceMessage } from "eventsource-parser";
import { expect, onTestFinished } from "vitest";
import type { Owner } from "../../server/test/start-server.ts";

/** The members of a frame's data that the tests read. */
export interface Frame {
  readonly type: string;
  readonly code?: string;
  readonly runStatus?: string;
  readonly event?: { readonly sequence: number; readonly payload: unknown };
}

/** A live stream, read frame by frame. */
export interface LiveStream {
  readonly headers: Headers;
  /** The next frame that is of one of these types; all others before it are passed over. */
  until(...types: readonly string[]): Promise<{ readonly frame: Frame; readonly data: string }>;
  /** Resolves when the server has ended the stream. */
  ended(): Promise<void>;
  leave(): void;
}

/** The owner of a stream, and the function that sends its request. */
interface StreamOptions {
  readonly owner?: Owner;
  readonly fetch?: typeof globalThis.fetch;
}

/** Opens a stream as a browser does that accepts compressed answers. It is closed when the test has finished. */
export async function openStream(
  url: string,
  headers: Readonly<Record<string, string>>,
  { owner = { onTestFinished }, fetch = globalThis.fetch }: StreamOptions = {},
): Promise<LiveStream> {
  const controller = new AbortController();
  owner.onTestFinished(() => controller.abort());
  const response = await fetch(url, {
    headers: { accept: "text/event-stream", "accept-encoding": "gzip, br, zstd", ...headers },
    signal: controller.signal,
  });
  expect(response.status).toBe(200);
  const messages = readMessages(response.body?.getReader());
  return {
    headers: response.headers,
    async until(...types) {
      for (;;) {
        const { value } = await messages.next();
        if (value === undefined) throw new Error(`The stream ended before ${types.join(" or ")}.`);
        const frame = JSON.parse(value.data) as Frame;
        if (types.includes(frame.type)) return { frame, data: value.data };
      }
    },
    async ended() {
      while ((await messages.next()).value !== undefined);
    },
    leave: () => controller.abort(),
  };
}

async function* readMessages(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): AsyncGenerator<EventSourceMessage, undefined, undefined> {
  const arrived: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => arrived.push(message) });
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done) return undefined;
    parser.feed(decoder.decode(value, { stream: true }));
    yield* arrived.splice(0);
  }
}
