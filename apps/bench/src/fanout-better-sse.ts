import { createServer } from "node:http";
import { createChannel, createSession } from "better-sse";
import { STREAM_HEADERS } from "./bare-stream.ts";
import { lastOf, nextEvents, OPENING } from "./fanout-events.ts";
import { serveFanout } from "./fanout-server.ts";

// As the guide to its channels says. The data are an object, which it writes as JSON itself.
const channel = createChannel();

serveFanout(
  createServer((request, response) => {
    void createSession(request, response, { headers: { ...STREAM_HEADERS } }).then((session) => {
      session.push(JSON.parse(OPENING.json), "message", "0");
      channel.register(session);
    });
  }),
  async (count) => {
    const events = nextEvents(count);
    for (const { sequence, json } of events) {
      channel.broadcast(JSON.parse(json), "message", { eventId: String(sequence) });
    }
    return lastOf(events);
  },
);
