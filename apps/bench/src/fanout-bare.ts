import { createServer, type ServerResponse } from "node:http";
import { encodeConnected, STREAM_HEADERS } from "./bare-stream.ts";
import { frameOf, lastOf, nextEvents } from "./fanout-events.ts";
import { serveFanout } from "./fanout-server.ts";

// The least that fans out: no log, no cursor, no back-pressure, no heartbeat. Same headers, same frames.
const responses = new Set<ServerResponse>();

serveFanout(
  createServer((_request, response) => {
    response.writeHead(200, STREAM_HEADERS);
    response.write(encodeConnected(0));
    responses.add(response);
    response.once("close", () => responses.delete(response));
  }),
  async (count) => {
    const events = nextEvents(count);
    for (const event of events) {
      const frame = Buffer.from(frameOf(event));
      for (const response of responses) response.write(frame);
    }
    return lastOf(events);
  },
);
