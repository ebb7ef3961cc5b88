import { MockLanguageModelV4 } from "ai/test";

/** The words of an answer. */
export const WORDS = Array.from({ length: 40 }, (_, index) => `word${index}`);
/** After this many words and a half the model waits for a call of `goOn`. */
export const HALF = 10;
/** The time between two pieces of a word, in milliseconds. */
const PIECE_MS = 5;

const FINISH = {
  type: "finish",
  finishReason: { unified: "stop", raw: undefined },
  usage: {
    inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: 1, text: 1, reasoning: undefined },
  },
};

let go = Promise.withResolvers();
/** How many answers are being made in this process. */
let running = 0;

/** Lets the waiting answers of this process go on. */
export function goOn() {
  go.resolve();
  go = Promise.withResolvers();
}

export const isRunning = () => running > 0;

async function* answer(question, signal) {
  running += 1;
  try {
    if (question.includes("image")) {
      const data = "QUJD".repeat(524_288);
      yield { type: "file", mediaType: "image/png", data: { type: "data", data } };
    }
    yield { type: "text-start", id: "t" };
    for (const [index, word] of WORDS.entries()) {
      yield { type: "text-delta", id: "t", delta: `${index === 0 ? "" : " "}wor` };
      if (index === HALF && question.includes("fail")) throw new Error("https://key@provider: 429");
      if (index === HALF && question.includes("wait")) await untilAborted(go.promise, signal);
      await new Promise((resolve) => setTimeout(resolve, PIECE_MS));
      signal?.throwIfAborted();
      yield { type: "text-delta", id: "t", delta: word.slice(3) };
    }
    yield { type: "text-end", id: "t" };
    yield FINISH;
  } finally {
    running -= 1;
  }
}

function untilAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    promise.then(resolve);
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}

/** A model that says all words. The question decides what happens on the way: "wait", "fail" or "image". */
export const model = new MockLanguageModelV4({
  doStream: async ({ prompt, abortSignal }) => {
    const [last] = prompt.filter(({ role }) => role === "user").slice(-1);
    return { stream: ReadableStream.from(answer(JSON.stringify(last), abortSignal)) };
  },
});
