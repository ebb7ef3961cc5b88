import { convertToModelMessages, streamText, toUIMessageStream, type UIMessage } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import type { MakeAnswer } from "../../src/ai-sdk.ts";

type Streamed = Awaited<ReturnType<MockLanguageModelV4["doStream"]>>["stream"];
/** A part of a model's stream. */
type ModelPart = Streamed extends ReadableStream<infer Part> ? Part : never;

/** The end of an answer that is whole. */
const FINISH: ModelPart = {
  type: "finish",
  finishReason: { unified: "stop", raw: undefined },
  usage: {
    inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: 1, text: 1, reasoning: undefined },
  },
};

/** A model whose answers the test writes. */
export interface WrittenModel {
  /** The answer that `streamText` makes with it. */
  readonly answer: MakeAnswer<UIMessage>;
  /** Resolves when it is asked for the answer with this number, from 1. */
  readonly asked: (count: number) => Promise<void>;
  /** The last prompt that it got, as JSON. */
  readonly prompt: () => string;
  /** Begins a text, or goes on with it. */
  readonly say: (...tokens: readonly string[]) => void;
  readonly write: (part: ModelPart) => void;
  /** Ends the text and the answer. */
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
  /** Resolves when its signal aborts. */
  readonly stopped: Promise<void>;
}

/** Makes a model whose answers the test writes. */
export function createWrittenModel(): WrittenModel {
  let controller: ReadableStreamDefaultController<ModelPart> | undefined;
  let isTalking = false;
  let onAsked = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  const model = new MockLanguageModelV4({
    // It takes these as they are: any other URL is downloaded.
    supportedUrls: { "*/*": [/^https:\/\/files\.example\//] },
    doStream: async ({ abortSignal }) => {
      isTalking = false;
      const stream = new ReadableStream<ModelPart>({ start: (given) => void (controller = given) });
      const own = controller;
      abortSignal?.addEventListener("abort", () => {
        stopped.resolve();
        own?.error(abortSignal.reason);
      });
      onAsked.resolve();
      onAsked = Promise.withResolvers();
      return { stream };
    },
  });
  const write = (part: ModelPart): void => controller?.enqueue(part);
  return {
    async answer({ messages, signal }) {
      const prompt = await convertToModelMessages(messages);
      const { stream } = streamText({
        model,
        messages: prompt,
        abortSignal: signal,
        maxRetries: 0,
        onError: () => {},
      });
      return toUIMessageStream({ stream });
    },
    async asked(count) {
      while (model.doStreamCalls.length < count || controller === undefined) await onAsked.promise;
    },
    prompt: () => JSON.stringify(model.doStreamCalls.at(-1)?.prompt),
    say(...tokens) {
      if (!isTalking) write({ type: "text-start", id: "t" });
      isTalking = true;
      for (const delta of tokens) write({ type: "text-delta", id: "t", delta });
    },
    write,
    finish() {
      if (isTalking) write({ type: "text-end", id: "t" });
      write(FINISH);
      controller?.close();
    },
    fail: (error) => controller?.error(error),
    stopped: stopped.promise,
  };
}
