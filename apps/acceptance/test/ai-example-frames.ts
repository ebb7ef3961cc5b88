import type { ExampleFrame } from "./example-frame.ts";

const MEMORY_RUNS = `
const runs = createRunEvents({ store: createMemoryStore() });
onEnd(() => runs.close());`;

const CORE = `import { createMemoryStore, createRunEvents } from "@tm/run-events-core";`;

/** The frames of the examples of `@tm/run-events-ai`. */
export const AI_FRAMES: Readonly<Record<string, ExampleFrame>> = {
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
