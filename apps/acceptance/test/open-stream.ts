import { createParser } from "eventsource-parser";
import { expect, onTestFinished } from "vitest";
import type { Message } from "./delivered-run.ts";

/**
 * Opens a run's live stream for a test that looks at each message as it arrives. It ends where the answer ends: this reader
 * does not come back.
 */
export async function openStream(
  serverUrl: string,
  runId: string,
  cookie: string,
): Promise<AsyncIterator<Message, undefined>> {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const response = await fetch(new URL(`/v1/agent-runs/${runId}/stream`, serverUrl), {
    headers: { cookie },
    signal: controller.signal,
  });
  expect(response.status).toBe(200);
  // Taken at once, because undici cancels an unread body when its response is garbage-collected.
  return readMessages(response.body?.getReader());
}

async function* readMessages(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
): AsyncGenerator<Message, undefined, undefined> {
  const arrived: Message[] = [];
  const parser = createParser({
    onEvent: ({ data }) => arrived.push(JSON.parse(data) as Message),
  });
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done) return undefined;
    parser.feed(decoder.decode(value, { stream: true }));
    yield* arrived.splice(0);
  }
}
