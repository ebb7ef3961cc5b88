import { createServer, type ServerResponse } from "node:http";
import { FANOUT_EVENT_BYTES, serveFanout } from "./fanout-server.ts";
import { sampleEvent } from "./sample-event.ts";

// The least that fans out: no log, no cursor, no back-pressure, no heartbeat. Same headers, same frames.
const responses = new Set<ServerResponse>();
const { eventType, payload } = sampleEvent(FANOUT_EVENT_BYTES);
let sequence = 0;

function encodeFrame(): Buffer {
  sequence += 1;
  const event = { sequence, eventType, payload, createdAt: new Date().toISOString() };
  return Buffer.from(`data: ${JSON.stringify({ type: "run_event", event })}\nid: ${sequence}\n\n`);
}

serveFanout(
  createServer((_request, response) => {
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-store, no-transform",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
    response.write(`data: {"type":"connected"}\nid: ${sequence}\n\n`);
    responses.add(response);
    response.once("close", () => responses.delete(response));
  }),
  async (events) => {
    for (let count = 0; count < events; count++) {
      const frame = encodeFrame();
      for (const response of responses) response.write(frame);
    }
    return sequence;
  },
);
