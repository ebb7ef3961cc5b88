import { createServer, type ServerResponse } from "node:http";
import { encodeConnected, STREAM_HEADERS } from "./bare-stream.ts";
import { lastOf, nextEvents } from "./fanout-events.ts";
import { serveFanout } from "./fanout-server.ts";

type Events = ReturnType<typeof nextEvents>;

/**
 * A server that keeps its responses: no log, no cursor, no back-pressure, no heartbeat. Same headers, same frames as ours.
 * @param send writes the events to the responses
 */
export function serveResponses(
  send: (events: Events, responses: ReadonlySet<ServerResponse>) => void,
): void {
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
      send(events, responses);
      return lastOf(events);
    },
  );
}
