import { fastifySSE, type SSEReplyInterface } from "@fastify/sse";
import { fastify } from "fastify";
import { lastOf, nextEvents, OPENING } from "./fanout-events.ts";
import { serveFanout } from "./fanout-server.ts";

// As its README says; it has no broadcast, so the handler keeps the replies. A serializer of its own: the data are JSON.
const replies = new Set<SSEReplyInterface>();
const app = fastify();
await app.register(fastifySSE, { serializer: String });

app.get("*", { sse: "only" }, async (_request, { sse }) => {
  sse.keepAlive();
  await sse.send({ data: OPENING.json, id: "0" });
  replies.add(sse);
  sse.onClose(() => replies.delete(sse));
});
await app.ready();

serveFanout(app.server, async (count) => {
  const events = nextEvents(count);
  for (const { sequence, json } of events) {
    const message = { data: json, id: String(sequence) };
    await Promise.all([...replies].map((sse) => sse.send(message)));
  }
  return lastOf(events);
});
