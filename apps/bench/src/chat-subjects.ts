import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createUIMessageStreamResponse } from "ai";
import { answer, pace } from "./chat-model.ts";
import { runSubject, serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { openStore } from "./open-store.ts";
import type { ReplayStore } from "./replay-log.ts";
import { readUsage, type Usage } from "./rounds.ts";
import { openStoredBytes } from "./stored-bytes.ts";

const OWNER = "owner";

/** What a store has of all answers. */
export interface Stored {
  readonly events: number;
  readonly bytes: number;
}

/** A server that answers `POST /api/chat`, in a process that does nothing else. */
export interface ChatServer {
  /** Listens on a free port and returns it. */
  listen(): Promise<number>;
  usage(): Usage;
  /** What its store has; zeros if it has none. */
  stored(): Promise<Stored>;
}

/** What a page sends: `useChat`'s body, with the length of the answer. */
interface ChatBody {
  readonly id: string;
  readonly tokens: number;
}

function serveChat(
  respond: (request: Request) => Promise<Response>,
  stored: ChatServer["stored"] = async () => ({ events: 0, bytes: 0 }),
): void {
  const listener = getRequestListener(respond);
  const server = createServer((request, response) => void listener(request, response));
  serveParent<ChatServer>({
    listen: () => listen(server),
    usage: readUsage,
    stored,
  });
}

const readBody = async (request: Request): Promise<ChatBody> => (await request.json()) as ChatBody;

/** The AI SDK's own response. Nothing of it is kept. */
function serveSdk(): void {
  serveChat(async (request) => {
    const { tokens } = await readBody(request);
    return createUIMessageStreamResponse({ stream: answer(tokens) });
  });
}

/** The AI SDK's recipe for streams that can be resumed. The text is in this process, and Redis carries it to others. */
async function serveResumable(url = ""): Promise<void> {
  const { Redis } = await import("ioredis");
  const { createResumableStreamContext } = await import("resumable-stream/ioredis");
  const context = createResumableStreamContext({
    waitUntil: null,
    publisher: new Redis(url),
    subscriber: new Redis(url),
  });
  serveChat(async (request) => {
    const { id, tokens } = await readBody(request);
    return createUIMessageStreamResponse({
      stream: answer(tokens),
      consumeSseStream: ({ stream }) => void context.createNewResumableStream(id, () => stream),
    });
  });
}

/** TanStack AI's log in memory, with the chunks that its own models make. */
async function serveTanstack(): Promise<void> {
  const { EventType, memoryStream, toServerSentEventsResponse } = await import("@tanstack/ai");
  type Chunk =
    Parameters<typeof toServerSentEventsResponse>[0] extends AsyncIterable<infer One> ? One : never;

  async function* say(runId: string, tokens: number): AsyncGenerator<Chunk> {
    const of = { threadId: runId, runId, messageId: "message", model: "whale" };
    yield { type: EventType.RUN_STARTED, ...of };
    yield { type: EventType.TEXT_MESSAGE_START, ...of, role: "assistant" };
    for await (const delta of pace(tokens)) {
      yield { type: EventType.TEXT_MESSAGE_CONTENT, ...of, delta };
    }
    yield { type: EventType.TEXT_MESSAGE_END, ...of };
    yield { type: EventType.RUN_FINISHED, ...of };
  }

  serveChat(async (request) => {
    const { id, tokens } = await readBody(request);
    return toServerSentEventsResponse(say(id, tokens), {
      durability: { adapter: memoryStream({ runId: id }) },
      debug: false,
    });
  });
}

/** The transport of Durable Streams: pages read from its server, which has its own process. */
async function serveDurableTransport(serverUrl = ""): Promise<void> {
  const { toDurableStreamResponse } = await import("@durable-streams/aisdk-transport");
  serveChat(async (request) => {
    const { id, tokens } = await readBody(request);
    const url = `${serverUrl}/${id}`;
    return toDurableStreamResponse({
      source: answer(tokens),
      stream: { writeUrl: url, readUrl: url },
    });
  });
}

/** The server of Durable Streams, in memory. With files, it does not find some of the streams that 100 chats have just made. */
async function serveDurableStreams(): Promise<void> {
  const { DurableStreamTestServer } = await import("@durable-streams/server");
  // It prints slow appends, between the lines of the report.
  console.info = () => {};
  const server = new DurableStreamTestServer({ port: 0 });
  await server.start();
  serveParent<ChatServer>({
    listen: async () => Number(new URL(server.url).port),
    usage: readUsage,
    stored: async () => ({ events: 0, bytes: 0 }),
  });
}

/** Each answer as a run. */
async function serveOurs(kind = "", location = ""): Promise<void> {
  const { createChats } = await import("@tm/run-events-ai/ai-sdk");
  const store = kind as ReplayStore;
  const runs = createRunEvents({ store: await openStore(store, location) });
  const bytes = openStoredBytes(store, location, OWNER);
  const handle = createChats({ runs }).routes({
    authenticate: () => OWNER,
    answer: ({ body, signal }) => answer(Number(body["tokens"]), signal),
  });
  serveChat(handle, async () => {
    const all = await listAll(runs);
    const events = all.reduce((sum, { lastSequence }) => sum + lastSequence, 0);
    return { events, bytes: await bytes.read(all.map(({ runId }) => runId)) };
  });
}

async function listAll(
  runs: RunEvents,
): Promise<readonly { readonly runId: string; readonly lastSequence: number }[]> {
  const all = [];
  let cursor: number | undefined;
  for (;;) {
    const page = await runs.list({ ownerId: OWNER, cursor });
    all.push(...page.runs);
    if (page.nextCursor === null) return all;
    cursor = page.nextCursor;
  }
}

await runSubject({
  sdk: serveSdk,
  resumable: serveResumable,
  tanstack: serveTanstack,
  "durable-transport": serveDurableTransport,
  "durable-streams": serveDurableStreams,
  ours: serveOurs,
});
