import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import type { UIMessage, UIMessageChunk } from "ai";
import { onTestFinished } from "vitest";
import type { ChatPlace } from "../../src/ai-sdk.ts";

/** The user of the tests. */
export const OWNER: { readonly ownerId: string } = { ownerId: "ada" };
/** A chat of that user. */
export const PLACE: ChatPlace = { ownerId: "ada", chatId: "tea" };

/** Opens runs in memory, closed after the test. */
export function openRuns(): RunEvents {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  return runs;
}

/** A message of the user. */
export function asked(id: string, text: string = id): UIMessage {
  return { id, role: "user", parts: [{ type: "text", text }] };
}

/** A stream of these chunks. */
export function streamOf(...chunks: readonly UIMessageChunk[]): ReadableStream<UIMessageChunk> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

/** A stream that says this text. */
export const saying = (text: string): ReadableStream<UIMessageChunk> =>
  streamOf(
    { type: "start" },
    { type: "text-start", id: "t" },
    { type: "text-delta", id: "t", delta: text },
    { type: "text-end", id: "t" },
    { type: "finish" },
  );

/** The `run` in a message's metadata. */
export const runOf = (message: UIMessage | undefined): unknown =>
  (message?.metadata as { readonly run?: unknown } | undefined)?.run;

/** All chunks of a stream. */
export async function readAll(stream: ReadableStream<UIMessageChunk>): Promise<UIMessageChunk[]> {
  const chunks: UIMessageChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}
