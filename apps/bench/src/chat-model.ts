import { simulateReadableStream, streamText, toUIMessageStream, type UIMessageChunk } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { TOKEN, TOKENS_A_SECOND } from "./chat-load.ts";

type Parts = Awaited<ReturnType<MockLanguageModelV4["doStream"]>>["stream"];
type Part = Parts extends ReadableStream<infer Value> ? Value : never;

/** An answer of the AI SDK with this many tokens, at the pace of a slow provider. */
export function answer(tokens: number, signal?: AbortSignal): ReadableStream<UIMessageChunk> {
  const { stream } = streamText({
    model: new MockLanguageModelV4({ doStream: async () => ({ stream: say(tokens) }) }),
    prompt: "Say it.",
    ...(signal !== undefined && { abortSignal: signal }),
  });
  return toUIMessageStream({ stream });
}

function say(tokens: number): Parts {
  const spoken = Array<Part>(tokens).fill({ type: "text-delta", id: "text", delta: TOKEN });
  return simulateReadableStream<Part>({
    initialDelayInMs: null,
    chunkDelayInMs: 1_000 / TOKENS_A_SECOND,
    chunks: [
      { type: "stream-start", warnings: [] },
      { type: "text-start", id: "text" },
      ...spoken,
      { type: "text-end", id: "text" },
      {
        type: "finish",
        finishReason: { unified: "stop", raw: undefined },
        usage: {
          inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
          outputTokens: { total: tokens, text: tokens, reasoning: undefined },
        },
      },
    ],
  });
}
