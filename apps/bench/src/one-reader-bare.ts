import { createServer, type ServerResponse } from "node:http";
import { encodeConnected, STREAM_HEADERS } from "./bare-stream.ts";
import { frameOf, lastOf, nextEvents } from "./fanout-events.ts";
import { serveFanout } from "./fanout-server.ts";

// The least that delivers: each response has its own event, encoded for it.
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
    for (const response of responses) {
      for (const event of events) response.write(Buffer.from(frameOf(event)));
    }
    return lastOf(events);
  },
);
