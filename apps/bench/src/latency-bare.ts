import { createServer, type ServerResponse } from "node:http";
import { APPEND_EVENT_BYTES } from "./append-writer.ts";
import { type BareEvent, encodeConnected, encodeFrame, STREAM_HEADERS } from "./bare-stream.ts";
import { serveParent } from "./child.ts";
import { appendSpaced, type LatencyAppender, type LatencyServer } from "./latency-server.ts";
import { listen } from "./listen.ts";
import { sampleEvent } from "./sample-event.ts";

/** The least that appends, and hears of it where the streams are. */
export interface BareLog {
  /** Appends one event and tells of it. Resolves with its sequence. */
  append(eventType: string, payload: string): Promise<number>;
  /** Calls back for each event from now on, one after the other. Resolves when none can be missed. */
  follow(onEvent: (event: BareEvent) => void): Promise<void>;
}

/** Serves the log of one run: every request is a live stream, and each event is written to all of them. */
export function serveBareLog(log: BareLog): void {
  const responses = new Set<ServerResponse>();
  const { eventType, payload } = sampleEvent(APPEND_EVENT_BYTES);
  const server = createServer((_request, response) => {
    response.writeHead(200, STREAM_HEADERS);
    response.write(encodeConnected(0));
    responses.add(response);
    response.once("close", () => responses.delete(response));
  });
  serveParent<LatencyServer & LatencyAppender>({
    async listen() {
      await log.follow((event) => {
        const frame = Buffer.from(encodeFrame(event));
        for (const response of responses) response.write(frame);
      });
      return listen(server);
    },
    append: (load) => appendSpaced(load, () => log.append(eventType, JSON.stringify(payload))),
  });
}
