import { createUIMessageStreamResponse, type UIMessage, type UIMessageChunk } from "ai";
import { checkPathId, noStore, refusal } from "../routes/refusals.ts";
import { type CallerOptions, createRoutes, type RoutedRequest } from "../routes/create-routes.ts";
import type { Chats } from "./chats.ts";
import type { Answer, AskedMessage, MakeAnswer, Question } from "./start-answer.ts";

/** The interval of comments while an answer is silent, so that proxies keep the connection. */
const KEEP_ALIVE_MS = 15_000;

/** The host's functions that name a caller and answer a message. */
export interface ChatRoutesOptions<Message extends UIMessage> extends CallerOptions {
  /** Makes an answer. `body` is what the page has sent, such as a choice of a model: check it. */
  readonly answer: (
    question: Question<Message> & { readonly body: Readonly<Record<string, unknown>> },
  ) => ReadableStream<UIMessageChunk> | Promise<ReadableStream<UIMessageChunk>>;
  /**
   * The path of the routes, as `DefaultChatTransport` has it.
   * @defaultValue `/api/chat`
   */
  readonly api?: string | undefined;
}

/** The calls that the routes need besides the public ones of chats. */
export interface ChatParts<Message extends UIMessage> {
  /** Answers as `Chats.answer` does. `keep` receives a promise that settles when this process has stopped making the answer. */
  readonly answer: (
    chat: AskedMessage<Message>,
    make: MakeAnswer<Message>,
    keep: (promise: Promise<unknown>) => void,
  ) => Promise<Answer>;
}

/**
 * Makes the routes of chats: `POST api` answers a message, `GET api/ID/stream` follows the answer that is being made, `POST api/ID/stop`
 * stops it, and `GET api/ID` has the messages. A page that accepts JSON alone gets the id of the run in place of a stream: it follows the
 * run itself.
 */
export function createChatRoutes<Message extends UIMessage>(
  chats: Chats<Message>,
  options: ChatRoutesOptions<Message>,
  { answer }: ChatParts<Message>,
): (request: Request) => Promise<Response> {
  async function send({ request, ownerId, readJson, keep }: RoutedRequest): Promise<Response> {
    const { body, chatId, message } = parseBody<Message>(await readJson());
    const idempotencyKey = request.headers.get("idempotency-key") || undefined;
    const asked = { chatId, ownerId, message, idempotencyKey };
    const make: MakeAnswer<Message> = (question) => options.answer({ ...question, body });
    const { stream, runId } = await answer(asked, make, keep);
    if (wantsJson(request)) return noStore({ runId });
    return respond(stream);
  }

  async function follow({ request, ownerId, id: chatId }: RoutedRequest): Promise<Response> {
    if (wantsJson(request)) {
      const active = await chats.active(chatId, { ownerId });
      return noStore({ runId: active?.runId ?? null });
    }
    const stream = await chats.follow(chatId, { ownerId });
    return stream === null ? new Response(null, { status: 204 }) : respond(stream);
  }

  return createRoutes(
    { ...options, api: options.api ?? "/api/chat" },
    {
      "POST send": send,
      "GET stream": follow,
      "POST stop": async ({ ownerId, id }) =>
        noStore({ stopped: await chats.stop(id, { ownerId }) }),
      "GET messages": async ({ ownerId, id }) => noStore(await chats.read(id, { ownerId })),
    },
  );
}

function respond(stream: ReadableStream<UIMessageChunk>): Response {
  return createUIMessageStreamResponse({ stream, keepAliveMs: KEEP_ALIVE_MS });
}

/** Whether the caller accepts only JSON. */
function wantsJson({ headers }: Request): boolean {
  return headers.get("accept") === "application/json";
}

/**
 * The body that a page sends: `DefaultChatTransport` sends all messages, of which the last one is answered. A page may also send `message` alone.
 * @throws RunEventsError `invalid_request`
 */
function parseBody<Message>(body: unknown): {
  readonly body: Readonly<Record<string, unknown>>;
  readonly chatId: string;
  readonly message: Message;
} {
  if (typeof body === "object" && body !== null) {
    const { id, messages, message } = body as Record<string, unknown>;
    const last: unknown = message ?? (Array.isArray(messages) ? messages.at(-1) : undefined);
    if (typeof id === "string" && last !== undefined) {
      // `answer` checks the message.
      return { body: { ...body }, chatId: checkPathId(id), message: last as Message };
    }
  }
  throw refusal(
    "invalid_request",
    "Expected JSON with `id` and `messages`, as `useChat` sends it, got another body. Send it as `application/json`.",
  );
}
