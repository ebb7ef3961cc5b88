import { setTimeout as sleep } from "node:timers/promises";
import { createParser } from "eventsource-parser";
import { type ChatLoad, idsOf, TOKEN, TOKENS_A_SECOND } from "./chat-load.ts";
import { serveParent } from "./child.ts";

/** Answers to ask for. */
export interface AskForAnswers extends ChatLoad {
  readonly port: number;
  /** Makes the ids of these chats different from those of all others. */
  readonly prefix: string;
}

/** What the pages read. */
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

/** The field of a chunk that has a token, in all of the chunks' formats. */
interface Chunk {
  readonly type?: string;
  readonly delta?: string;
}

async function ask(id: string, { port, tokens }: AskForAnswers): Promise<PageGot> {
  const messages = [{ id: `q-${id}`, role: "user", parts: [{ type: "text", text: "Say it." }] }];
  const startMs = performance.now();
  const response = await post(`http://127.0.0.1:${port}/api/chat`, { id, messages, tokens });
  let text = "";
  let bytes = 0;
  let firstTokenMs = 0;
  const parser = createParser({
    onEvent({ data }) {
      for (const { delta } of chunksOf(data)) {
        if (delta === undefined) continue;
        if (text === "") firstTokenMs = performance.now() - startMs;
        text += delta;
      }
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

/** Asks for an answer. Durable Streams' transport says where it is. */
async function post(url: string, body: unknown): Promise<Response> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${await response.text()}`);
  const location = response.headers.get("location");
  if (location === null) return response;
  await response.body?.cancel();
  return fetch(`${location}?offset=-1&live=sse`, { headers: { accept: "text/event-stream" } });
}

/** The chunks in an event's data: one; an array of them; or, such as `[DONE]`, none. */
function chunksOf(data: string): readonly Chunk[] {
  if (data === "[DONE]") return [];
  const value = JSON.parse(data) as Chunk | readonly Chunk[];
  return Array.isArray(value) ? value : [value as Chunk];
}

serveParent<Pages>({
  async ask(load) {
    const startMs = performance.now();
    const pages = idsOf(load.prefix, load.chats).map(async (id, index) => {
      // Each begins at another time within the pause between two tokens.
      const dueMs = startMs + (index * 1_000) / load.chats / TOKENS_A_SECOND;
      await sleep(Math.max(0, dueMs - performance.now()));
      return ask(id, load);
    });
    const got = await Promise.all(pages);
    return {
      firstTokenMs: got.map(({ firstTokenMs }) => firstTokenMs),
      bytes: got.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  },
});
