import { setTimeout as sleep } from "node:timers/promises";
import { createParser } from "eventsource-parser";
import { type ChatLoad, TOKEN, TOKENS_A_SECOND } from "./chat-load.ts";
import { serveParent } from "./child.ts";

/** Answers to ask for. */
interface AskForAnswers extends ChatLoad {
  readonly port: number;
  /** Makes the ids of these chats different from those of all others. */
  readonly prefix: string;
}

/** The results of the pages that read. */
export interface PagesGot {
  /** From the request until the first token was read, in milliseconds, for each answer. */
  readonly firstTokenMs: readonly number[];
  /** The bytes of all bodies. */
  readonly bytes: number;
}

/** The pages' process: each asks for an answer, and reads it to its end. */
export interface Pages {
  /** @throws unless each page got each token of its answer, in order */
  ask(load: AskForAnswers): Promise<PagesGot>;
}

interface PageGot {
  readonly firstTokenMs: number;
  readonly bytes: number;
}

async function ask(id: string, { port, tokens }: AskForAnswers): Promise<PageGot> {
  const messages = [{ id: `q-${id}`, role: "user", parts: [{ type: "text", text: "Say it." }] }];
  const startMs = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/api/chat`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id, messages, tokens }),
  });
  let text = "";
  let bytes = 0;
  let firstTokenMs = 0;
  const parser = createParser({
    onEvent({ data }) {
      if (data === "[DONE]") return;
      const { delta = "" } = JSON.parse(data) as { readonly delta?: string };
      if (text === "" && delta !== "") firstTokenMs = performance.now() - startMs;
      text += delta;
    },
  });
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    parser.feed(decoder.decode(piece, { stream: true }));
  }
  if (text !== TOKEN.repeat(tokens))
    throw new Error(`Expected ${tokens} tokens for ${id}, got: ${text}`);
  return { firstTokenMs, bytes };
}

serveParent<Pages>({
  async ask(load) {
    const startMs = performance.now();
    const got = await Promise.all(
      Array.from({ length: load.chats }, async (_, index) => {
        // Each begins at another time within the pause between two tokens.
        const dueMs = startMs + (index * 1_000) / load.chats / TOKENS_A_SECOND;
        await sleep(Math.max(0, dueMs - performance.now()));
        return ask(`${load.prefix}-${index}`, load);
      }),
    );
    return {
      firstTokenMs: got.map(({ firstTokenMs }) => firstTokenMs),
      bytes: got.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  },
});
