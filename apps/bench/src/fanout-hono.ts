import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { lastOf, nextEvents, OPENING } from "./fanout-events.ts";
import { serveFanout } from "./fanout-server.ts";

// `streamSSE` as its helper's page says; it has no broadcast, so the handler keeps the streams.
const streams = new Set<SSEStreamingApi>();
const app = new Hono();

app.get("*", (context) =>
  streamSSE(context, async (stream) => {
    await stream.writeSSE({ data: OPENING.json, id: "0" });
    streams.add(stream);
    await new Promise<void>((resolve) => stream.onAbort(resolve));
    streams.delete(stream);
  }),
);

serveFanout(createAdaptorServer({ fetch: app.fetch }) as Server, async (count) => {
  const events = nextEvents(count);
  for (const { sequence, json } of events) {
    const message = { data: json, id: String(sequence) };
    await Promise.all([...streams].map((stream) => stream.writeSSE(message)));
  }
  return lastOf(events);
});
