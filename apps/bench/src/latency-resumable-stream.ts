import { createServer } from "node:http";
import { Readable } from "node:stream";
import { Redis } from "ioredis";
import { createResumableStreamContext } from "resumable-stream/ioredis";
import { APPEND_EVENT_BYTES, runIdOf } from "./append-writer.ts";
import { encodeFrame, STREAM_HEADERS } from "./bare-stream.ts";
import { serveParent } from "./child.ts";
import { appendSpaced, type LatencyAppender, type LatencyServer } from "./latency-server.ts";
import { listen } from "./listen.ts";
import { sampleEvent } from "./sample-event.ts";

const [, , url = ""] = process.argv;
const context = createResumableStreamContext({
  waitUntil: null,
  publisher: new Redis(url),
  subscriber: new Redis(url),
});
const { eventType, payload } = sampleEvent(APPEND_EVENT_BYTES);
let sequence = 0;
let produce: ReadableStreamDefaultController<string> | null = null;

/** The one producer. What it enqueues is passed on to whoever has asked for the stream. */
async function startProducer(): Promise<ReadableStreamDefaultController<string>> {
  const source = new ReadableStream<string>({ start: (controller) => void (produce = controller) });
  await context.createNewResumableStream(runIdOf(0), () => source);
  if (produce === null) throw new Error("The stream has not started.");
  produce.enqueue(": a reader waits for its first bytes\n\n");
  return produce;
}

// As its README resumes a stream, with a node:http response.
const server = createServer((_request, response) => {
  void (async () => {
    const stream = await context.resumeExistingStream(runIdOf(0));
    if (stream === null || stream === undefined) throw new Error("There is no stream.");
    response.writeHead(200, STREAM_HEADERS);
    Readable.fromWeb(stream as never).pipe(response);
  })().catch((error: unknown) => response.writeHead(500).end(String(error)));
});

serveParent<LatencyServer & LatencyAppender>({
  listen: () => listen(server),
  async append(load) {
    const producer = produce ?? (await startProducer());
    return appendSpaced(load, async () => {
      sequence += 1;
      const event = { sequence, eventType, payload: JSON.stringify(payload) };
      producer.enqueue(encodeFrame({ ...event, createdAtMs: Date.now() }));
      return sequence;
    });
  },
});
