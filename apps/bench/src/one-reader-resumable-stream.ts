import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { Redis } from "ioredis";
import { createResumableStreamContext } from "resumable-stream/ioredis";
import { encodeConnected, STREAM_HEADERS } from "./bare-stream.ts";
import { frameOf, lastOf, nextEvents } from "./fanout-events.ts";
import { serveFanout } from "./fanout-server.ts";
import { REDIS_URL, runIds } from "./one-reader-runs.ts";

// As its README says for ioredis and explicit resumption, with Hono in place of Next.js.
const context = createResumableStreamContext({
  waitUntil: null,
  publisher: new Redis(REDIS_URL ?? ""),
  subscriber: new Redis(REDIS_URL ?? ""),
});
const producers: ReadableStreamDefaultController<string>[] = [];

for (const runId of runIds) {
  const stream = await context.createNewResumableStream(
    runId,
    () =>
      new ReadableStream<string>({
        start(controller) {
          controller.enqueue(encodeConnected(0));
          producers.push(controller);
        },
      }),
  );
  // Whoever began the run reads along.
  void stream?.pipeTo(new WritableStream());
}

const app = new Hono();
app.get("/:runId", async (call) => {
  const stream = await context.resumeExistingStream(call.req.param("runId"));
  return stream === null || stream === undefined
    ? call.notFound()
    : new Response(stream.pipeThrough(new TextEncoderStream()), { headers: STREAM_HEADERS });
});

serveFanout(createAdaptorServer({ fetch: app.fetch }) as Server, async (count) => {
  const events = nextEvents(count);
  for (const producer of producers) {
    for (const event of events) producer.enqueue(frameOf(event));
  }
  return lastOf(events);
});
