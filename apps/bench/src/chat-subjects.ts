import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createUIMessageStreamResponse } from "ai";
import { answer } from "./chat-model.ts";
import { runSubject } from "./child.ts";
import { OWNER } from "./run-ids.ts";
import { openStore, type StoreKind } from "./stores.ts";
import { serveTested, type TestedServer } from "./tested-server.ts";

/** A server that answers `POST /api/chat`. */
export interface ChatServer extends TestedServer {
  /** The number of events that its store has; 0 if it has none. */
  rows(): Promise<number>;
}

/** The body that a page sends: `useChat`'s, with the length of the answer. */
interface ChatBody {
  readonly id: string;
  readonly tokens: number;
}

function serveChat(
  respond: (request: Request) => Promise<Response>,
  rows: ChatServer["rows"] = async () => 0,
): void {
  const listener = getRequestListener(respond);
  const server = createServer((request, response) => void listener(request, response));
  serveTested(server, { rows });
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

/** Each answer as a run. */
async function serveOurs(kind = "", location = ""): Promise<void> {
  const { createChats } = await import("@tm/run-events-ai/ai-sdk");
  const runs = createRunEvents({ store: await openStore(kind as StoreKind, location) });
  const handle = createChats({ runs }).routes({
    authenticate: () => OWNER,
    answer: ({ body, signal }) => answer(Number(body["tokens"]), signal),
  });
  serveChat(handle, () => countRows(runs));
}

async function countRows(runs: RunEvents): Promise<number> {
  let rows = 0;
  let cursor: number | undefined;
  for (;;) {
    const page = await runs.list({ ownerId: OWNER, cursor });
    rows += page.runs.reduce((sum, { lastSequence }) => sum + lastSequence, 0);
    if (page.nextCursor === null) return rows;
    cursor = page.nextCursor;
  }
}

await runSubject({ sdk: serveSdk, resumable: serveResumable, ours: serveOurs });
