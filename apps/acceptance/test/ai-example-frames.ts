import type { ExampleFrame } from "./example-frame.ts";

const MEMORY_RUNS = `
const runs = createRunEvents({ store: createMemoryStore() });
onEnd(() => runs.close());`;

const CORE = `import { createMemoryStore, createRunEvents } from "@tm/run-events-core";`;

/** The frames of the examples of `@tm/run-events-ai`. */
export const AI_FRAMES: Readonly<Record<string, ExampleFrame>> = {
  "packages/ai/src/ai-sdk/chats.d.ts: createChats": {
    imports: `${CORE}
      import { createChats } from "@tm/run-events-ai/ai-sdk";
      import { createUIMessageStream, type UIMessage } from "ai";`,
    before: `${MEMORY_RUNS}
      const chatId = "chat-1";
      const message: UIMessage = { id: "m1", role: "user", parts: [{ type: "text", text: "Tea?" }] };
      const askModel = (_messages: readonly UIMessage[], _signal: AbortSignal) =>
        createUIMessageStream({ execute() {} });`,
    after: "return [stream instanceof ReadableStream, messages[0]?.id];",
    result: [true, "m1"],
  },
  "packages/ai/src/ai-sdk/page/run-chat-transport.d.ts: RunChatTransport": {
    imports: `import { RunChatTransport } from "@tm/run-events-ai/ai-sdk/page";`,
    before: `
      const show = (_isWaiting: boolean) => {};
      const chat = { id: "tea", messages: [], setMessages() {}, async resumeStream() {} };`,
    after: "leave(); return [transport.resumeStreamIsReplay, watch.getSnapshot()];",
    result: [true, { isWaiting: false, error: null }],
  },
  "packages/ai/src/assistant-ui/store.d.ts: createRunEventsResumableStreamStore": {
    imports: `${CORE}
      import { createRunEventsResumableStreamStore } from "@tm/run-events-ai/assistant-ui";
      import { createResumableStreamContext } from "assistant-stream/resumable";`,
    before: `${MEMORY_RUNS}
      const askModel = () => new Blob(["Tea"]).stream();`,
    after: "return new Response(stream).text();",
    result: "Tea",
  },
  "packages/ai/src/resumable-stream/context.d.ts: createResumableStreamContext": {
    imports: `${CORE}
      import { createResumableStreamContext } from "@tm/run-events-ai/resumable-stream";`,
    before: `${MEMORY_RUNS}
      const askModel = (_signal: AbortSignal) => new Blob(["Tea"]).stream().pipeThrough(new TextDecoderStream());`,
    after: `return [answer, again, await streams.hasExistingStream("answer-7")].map(Boolean);`,
    result: [true, true, true],
  },
  // It returns a response, which the program of the package's page reads.
  "packages/ai/src/tanstack-ai/stream.d.ts: runEventsStream": {
    imports: `
      import { type AnyTextAdapter, chat, type ModelMessage, toServerSentEventsResponse } from "@tanstack/ai";
      import type { RunEvents } from "@tm/run-events-core";
      import { runEventsStream } from "@tm/run-events-ai/tanstack-ai";
      declare const runs: RunEvents;
      declare const request: Request;
      declare const model: AnyTextAdapter;
      declare const messages: ModelMessage[];`,
  },
};
