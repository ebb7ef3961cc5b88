import { createServer, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { Redis } from "ioredis";
import { createResumableStreamContext } from "resumable-stream/ioredis";
import { encodeConnected, encodeFrame, STREAM_HEADERS } from "./bare-stream.ts";
import { REPLAY_EVENT_BYTES, REPLAY_TIME_MS } from "./replay-log.ts";
import { serveReplay } from "./replay-server.ts";
import { sampleEvent } from "./sample-event.ts";

// The producer and whoever resumes are one process here; on a platform of functions they are two, and their time adds up alike.
const [, , url = "", count = ""] = process.argv;
const STREAM = "run";
const context = createResumableStreamContext({
  waitUntil: () => {},
  publisher: new Redis(url),
  subscriber: new Redis(url),
});

/** A stream that has sent every frame and goes on: one that is done cannot be resumed. */
function makeStream(): ReadableStream<string> {
  const { eventType, payload } = sampleEvent(REPLAY_EVENT_BYTES);
  const text = JSON.stringify(payload);
  return new ReadableStream<string>({
    start(controller) {
      controller.enqueue(encodeConnected(0));
      for (let sequence = 1; sequence <= Number(count); sequence++) {
        const event = { sequence, eventType, payload: text, createdAtMs: REPLAY_TIME_MS };
        controller.enqueue(encodeFrame(event));
      }
      controller.enqueue(`data: {"type":"run_finished"}\nid: ${Number(count) + 1}\n\n`);
    },
  });
}

/** Resolves when the producer's own reader has had everything. */
async function produce(): Promise<void> {
  const stream = await context.createNewResumableStream(STREAM, makeStream);
  const reader = stream?.getReader();
  const end = `id: ${Number(count) + 1}\n`;
  for (;;) {
    const next = await reader?.read();
    if (next?.value?.includes(end) === true) return;
  }
}

async function resume(response: ServerResponse): Promise<void> {
  const stream = await context.resumeExistingStream(STREAM);
  if (stream === null || stream === undefined) throw new Error("The stream has ended.");
  response.writeHead(200, STREAM_HEADERS);
  // It ends when the reader leaves.
  await pipeline(Readable.fromWeb(stream as never), response).catch(() => {});
}

await produce();
serveReplay(createServer((_request, response) => void resume(response)));
