import { setTimeout as sleep } from "node:timers/promises";
import { type LanguageModel, streamText, toUIMessageStream, type UIMessageChunk } from "ai";
import { dueMs, TOKEN } from "./chat-load.ts";

type Model = Extract<LanguageModel, { readonly specificationVersion: "v4" }>;
type Part =
  Awaited<ReturnType<Model["doStream"]>>["stream"] extends ReadableStream<infer Value>
    ? Value
    : never;

/** A model that says so many tokens, at the pace of a slow provider. */
function createModel(tokens: number): Model {
  return {
    specificationVersion: "v4",
    provider: "bench",
    modelId: "whale",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new TypeError("Expected a call of doStream.")),
    doStream: async () => ({ stream: pulled(say(tokens)) }),
  };
}

async function* say(tokens: number): AsyncGenerator<Part> {
  yield { type: "stream-start", warnings: [] };
  yield { type: "text-start", id: "text" };
  for await (const delta of pace(tokens)) yield { type: "text-delta", id: "text", delta };
  yield { type: "text-end", id: "text" };
  yield {
    type: "finish",
    finishReason: { unified: "stop", raw: undefined },
    usage: {
      inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: tokens, text: tokens, reasoning: undefined },
    },
  };
}

/** A stream of what the generator yields. */
function pulled<Value>(generator: AsyncGenerator<Value>): ReadableStream<Value> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await generator.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await generator.return(undefined);
    },
  });
}

/** The tokens of an answer, each when it is due. */
async function* pace(tokens: number): AsyncGenerator<string> {
  const startMs = performance.now();
  for (let said = 0; said < tokens; said++) {
    const restMs = startMs + dueMs(said) - performance.now();
    if (restMs > 0) await sleep(restMs);
    yield TOKEN;
  }
}

/** An answer of the AI SDK. */
export function answer(tokens: number, signal?: AbortSignal): ReadableStream<UIMessageChunk> {
  const { stream } = streamText({
    model: createModel(tokens),
    prompt: "Say it.",
    ...(signal !== undefined && { abortSignal: signal }),
  });
  return toUIMessageStream({ stream });
}
