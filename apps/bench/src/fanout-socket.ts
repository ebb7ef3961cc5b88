import { createServer } from "node:http";
import type { Socket } from "node:net";
import { encodeConnected, STREAM_HEADERS } from "./bare-stream.ts";
import { frameOf, lastOf, nextEvents } from "./fanout-events.ts";
import { serveFanout } from "./fanout-server.ts";

// What Node's public interface takes at the least to send the same bytes: one write of one shared chunk to each socket.
const sockets = new Set<Socket>();

serveFanout(
  createServer((_request, response) => {
    const { socket } = response;
    if (socket === null) return;
    response.writeHead(200, STREAM_HEADERS);
    response.write(encodeConnected(0));
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  }),
  async (count) => {
    const events = nextEvents(count);
    for (const event of events) {
      const frame = frameOf(event);
      const chunk = Buffer.from(`${Buffer.byteLength(frame).toString(16)}\r\n${frame}\r\n`);
      for (const socket of sockets) socket.write(chunk);
    }
    return lastOf(events);
  },
);
