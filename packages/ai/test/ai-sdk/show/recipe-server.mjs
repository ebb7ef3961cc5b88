import {
  convertToModelMessages,
  createUIMessageStreamResponse,
  generateId,
  streamText,
  toUIMessageStream,
  UI_MESSAGE_STREAM_HEADERS,
} from "ai";
import { Redis } from "ioredis";
import { createResumableStreamContext } from "resumable-stream/ioredis";
import { model } from "./model.mjs";

// The server of the recipe "Chatbot Resume Streams" of the AI SDK, with its own resumable-stream on Redis. The recipe
// leaves two parts to its reader. Here, each chat is a key of Redis, and the work that a stop ends is in a map of the process.
const url = process.env.STORE_URL ?? "";
const redis = new Redis(url);
const context = createResumableStreamContext({
  waitUntil: (promise) => void promise.catch(() => {}),
  publisher: new Redis(url),
  subscriber: new Redis(url),
});
const working = new Map();
// The recipe is for Next.js, which keeps a process alive that has an unhandled rejection.
process.on("unhandledRejection", () => {});

const NO_CHAT = { messages: [], activeStreamId: null };
const readChat = async (id) => ({
  ...NO_CHAT,
  ...JSON.parse((await redis.get(`chat:${id}`)) ?? "{}"),
});
const saveChat = async (id, change) =>
  redis.set(`chat:${id}`, JSON.stringify({ ...(await readChat(id)), ...change }));

async function send(request) {
  const { message, id } = await request.json();
  const messages = [...(await readChat(id)).messages, message];
  await saveChat(id, { messages, activeStreamId: null });
  const streamId = generateId();
  const work = new AbortController();
  working.set(streamId, work);
  const { stream } = streamText({
    model,
    messages: await convertToModelMessages(messages),
    abortSignal: work.signal,
    maxRetries: 0,
    onError: () => {},
  });
  return createUIMessageStreamResponse({
    stream: toUIMessageStream({
      stream,
      originalMessages: messages,
      generateMessageId: generateId,
      onEnd: async (end) => {
        working.delete(streamId);
        await saveChat(id, { messages: end.messages, activeStreamId: null });
      },
    }),
    async consumeSseStream({ stream: text }) {
      await context.createNewResumableStream(streamId, () => text);
      await saveChat(id, { activeStreamId: streamId });
    },
  });
}

async function resume(id) {
  const { activeStreamId } = await readChat(id);
  if (activeStreamId === null) return new Response(null, { status: 204 });
  const stream = await context.resumeExistingStream(activeStreamId);
  const body = stream?.pipeThrough(new TextEncoderStream()) ?? null;
  return new Response(body, { headers: UI_MESSAGE_STREAM_HEADERS });
}

async function stop(id, request) {
  const { activeStreamId, messages } = await readChat(id);
  const body = await request.json();
  if (activeStreamId === null) return Response.json({ success: true });
  const { assistantMessage } = body;
  if (assistantMessage !== undefined) {
    const others = messages.filter((message) => message.id !== assistantMessage.id);
    await saveChat(id, { messages: [...others, assistantMessage] });
  }
  working.get(activeStreamId)?.abort();
  if ((await readChat(id)).activeStreamId === activeStreamId) {
    await saveChat(id, { activeStreamId: null });
  }
  return Response.json({ success: true });
}

export async function handle(request) {
  const [, , , id, call] = new URL(request.url).pathname.split("/");
  if (id === undefined) return send(request);
  if (call === "stream") return resume(id);
  return call === "stop" ? stop(id, request) : Response.json(await readChat(id));
}

export const close = async () => redis.quit();
