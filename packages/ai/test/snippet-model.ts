/** The program `model.mjs` of the pages: it says a sentence, a word at a time. */
export const MODEL = `
import { simulateReadableStream } from "ai";
import { MockLanguageModelV4 } from "ai/test";
const words = ["Tea ", "is ", "a ", "leaf."];
const chunks = [
  { type: "text-start", id: "t" },
  ...words.map((delta) => ({ type: "text-delta", id: "t", delta })),
  { type: "text-end", id: "t" },
  { type: "finish", finishReason: { unified: "stop" }, usage: { inputTokens: {}, outputTokens: {} } },
];
export const model = new MockLanguageModelV4({
  doStream: async () => ({ stream: simulateReadableStream({ chunks, chunkDelayInMs: 50 }) }),
});
`;
