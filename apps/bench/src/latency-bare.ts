import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import type { EventDraft } from "@tm/run-events-core";
import { type BareEvent, encodeConnected, encodeFrame, STREAM_HEADERS } from "./bare-stream.ts";
import { serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import type { RunServer } from "./run-server.ts";

/** The least that appends in one process and hears of it in another. */
export interface BareLog {
  /** Appends one event and tells of it. Resolves with its sequence. */
  append(eventType: string, payload: string): Promise<number>;
  /** Calls back for each event from now on, one after the other. Resolves when none can be missed. */
  follow(onEvent: (event: BareEvent) => void): Promise<void>;
}

/** Serves the log of one run: whatever is posted is appended, and every other request is a live stream. */
export function serveBareLog(log: BareLog): void {
  async function append(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { events } = (await json(request)) as { readonly events: readonly EventDraft[] };
    const [{ eventType, payload } = { eventType: "" }] = events;
    const lastSequence = await log.append(eventType, JSON.stringify(payload));
    response.writeHead(201, { "content-type": "application/json" });
    response.end(JSON.stringify({ firstSequence: lastSequence, lastSequence }));
  }

  async function stream(response: ServerResponse): Promise<void> {
    await log.follow((event) => response.write(encodeFrame(event)));
    response.writeHead(200, STREAM_HEADERS);
    response.write(encodeConnected(0));
  }

  const server = createServer((request, response) => {
    const answered = request.method === "POST" ? append(request, response) : stream(response);
    answered.catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  serveParent<RunServer>({ listen: () => listen(server) });
}
