import { createServer, type ServerResponse } from "node:http";
import { encodeConnected, STREAM_HEADERS } from "./bare-stream.ts";
import { serveIdle } from "./idle-server.ts";

const HEARTBEAT_MS = 15_000;
const TICK_MS = 500;
const HEARTBEAT = Buffer.from(
  `data: {"type":"status","runStatus":"queued","currentPhase":null,"lastSequence":0}\n\n`,
);

// The least that holds streams open: no log, no cursor, no back-pressure. Same headers, same heartbeats, spread over time.
const responses = new Set<ServerResponse>();
const server = createServer((_request, response) => {
  response.writeHead(200, STREAM_HEADERS);
  response.write(encodeConnected(0));
  responses.add(response);
  response.once("close", () => responses.delete(response));
});

let turn = responses.values();
setInterval(() => {
  const count = Math.ceil((responses.size * TICK_MS) / HEARTBEAT_MS);
  for (let written = 0; written < count; written++) {
    const next = turn.next();
    if (next.done === true) {
      turn = responses.values();
      return;
    }
    next.value.write(HEARTBEAT);
  }
}, TICK_MS);

serveIdle(server, () => responses.size);
