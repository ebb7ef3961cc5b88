import { createServer, type ServerResponse } from "node:http";
import { encodeConnected, encodeFrame, STREAM_HEADERS } from "./bare-stream.ts";
import { FANOUT_EVENT_BYTES, serveFanout } from "./fanout-server.ts";
import { sampleEvent } from "./sample-event.ts";

// The least that fans out: no log, no cursor, no back-pressure, no heartbeat. Same headers, same frames.
const responses = new Set<ServerResponse>();
const { eventType, payload } = sampleEvent(FANOUT_EVENT_BYTES);
let sequence = 0;

serveFanout(
  createServer((_request, response) => {
    response.writeHead(200, STREAM_HEADERS);
    response.write(encodeConnected(sequence));
    responses.add(response);
    response.once("close", () => responses.delete(response));
  }),
  async (events) => {
    for (let count = 0; count < events; count++) {
      sequence += 1;
      const event = { sequence, eventType, payload: JSON.stringify(payload) };
      const frame = Buffer.from(encodeFrame({ ...event, createdAtMs: Date.now() }));
      for (const response of responses) response.write(frame);
    }
    return sequence;
  },
);
