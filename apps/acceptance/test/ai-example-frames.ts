import type { ExampleFrame } from "./example-frame.ts";

const MEMORY_RUNS = `
const runs = createRunEvents({ store: createMemoryStore() });
onEnd(() => runs.close());`;

const CORE = `import { createMemoryStore, createRunEvents } from "@tm/run-events-core";`;

/** The frames of the examples of `@tm/run-events-ai`. */
export const AI_FRAMES: Readonly<Record<string, ExampleFrame>> = {
  // It asks a server, which the program of the package's page has.
  "packages/ai/src/ag-ui/agent.ts: RunEventsAgent": {
    imports: `import { RunEventsAgent } from "@tm/run-events-ai/ag-ui/page";`,
  },
  "packages/ai/src/ag-ui/threads.ts: createThreads": {
    imports: `${CORE}
      import { createThreads } from "@tm/run-events-ai/ag-ui";`,
    before: `${MEMORY_RUNS}
      const userOf = (_request: Request) => "ada";
      const agent = {
        async *run(_input: unknown) {
          yield { type: "RUN_FINISHED" };
        },
      };`,
    after: `const input = { threadId: "tea", runId: "r", messages: [] };
      const headers = { "content-type": "application/json" };
      const asked = { method: "POST", headers, body: JSON.stringify(input) };
      const response = await handle(new Request("http://localhost/api/agent", asked));
      return (await response.text()).match(/RUN_\\w+/g);`,
    result: ["RUN_STARTED", "RUN_FINISHED"],
  },
  "packages/ai/src/ai-sdk/chats.ts: createChats": {
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
  "packages/ai/src/ai-sdk/page/run-chat-transport.ts: RunChatTransport": {
    imports: `import { RunChatTransport } from "@tm/run-events-ai/ai-sdk/page";`,
    before: `
      const show = (_isWaiting: boolean) => {};
      const chat = { id: "tea", messages: [], setMessages() {}, async resumeStream() {} };`,
    after: "leave(); return [transport.resumeStreamIsReplay, watch.getSnapshot()];",
    result: [true, { isWaiting: false, error: null }],
  },
  "packages/ai/src/assistant-ui/store.ts: createRunEventsResumableStreamStore": {
    imports: `${CORE}
      import { createRunEventsResumableStreamStore } from "@tm/run-events-ai/assistant-ui";
      import { createResumableStreamContext } from "assistant-stream/resumable";`,
    before: `${MEMORY_RUNS}
      const askModel = () => new Blob(["Tea"]).stream();`,
    after: "return new Response(stream).text();",
    result: "Tea",
  },
  "packages/ai/src/resumable-stream/context.ts: createResumableStreamContext": {
    imports: `${CORE}
      import { createResumableStreamContext } from "@tm/run-events-ai/resumable-stream";`,
    before: `${MEMORY_RUNS}
      const askModel = (_signal: AbortSignal) => new Blob(["Tea"]).stream().pipeThrough(new TextDecoderStream());`,
    after: `return [answer, again, await streams.hasExistingStream("answer-7")].map(Boolean);`,
    result: [true, true, true],
  },
  // It returns a response, which the program of the package's page reads.
  "packages/ai/src/tanstack-ai/stream.ts: runEventsStream": {
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
