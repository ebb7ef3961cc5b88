import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { createRunEvents } from "@tm/run-events-core";
import { type BareEvent, encodeConnected, encodeFrame, STREAM_HEADERS } from "./bare-stream.ts";
import { runSubject, serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { fillReplay, REPLAY_EVENT_BYTES, REPLAY_HEAD, REPLAY_OWNER } from "./replay-log.ts";
import { readUsage, type Usage } from "./rounds.ts";
import { createRunServer, type RunServer } from "./run-server.ts";
import { sampleEvent } from "./sample-event.ts";
import { openStore, type StoreKind } from "./stores.ts";

/** A server under test, in a process that does nothing else. */
export interface ReplayServer extends RunServer {
  usage(): Usage;
}

/** Serves the parent's calls with this server. */
function serveReplay(server: Server): void {
  serveParent<ReplayServer>({ listen: () => listen(server), usage: readUsage });
}

/** As many events as ours reads at once, as it writes at once, and as its page has. */
const READ_EVENTS = 448;
const WRITE_EVENTS = 112;
const PAGE_EVENTS = 500;

async function serveOurs(kind = "", location = "", events = ""): Promise<void> {
  const runs = createRunEvents({ store: await openStore(kind as StoreKind, location) });
  await fillReplay(runs, Number(events));
  serveReplay(createRunServer(runs, REPLAY_OWNER));
}

/** Resolves when the response takes more, if it does not. */
async function write(response: ServerResponse, text: string): Promise<void> {
  if (!response.write(text)) await once(response, "drain");
}

function encodeEvent({ sequence, eventType, payload, createdAtMs }: BareEvent): string {
  const createdAt = new Date(createdAtMs).toISOString();
  return `{"sequence":${sequence},"eventType":"${eventType}","payload":${payload},"createdAt":"${createdAt}"}`;
}

/** The last frame of a run of this many events. */
function endOf(last: number): string {
  const state = `"runStatus":"completed","currentPhase":"work","lastSequence":${last}`;
  return `data: {"type":"run_finished",${state}}\nretry: 3600000\nid: ${last + 1}\n\n`;
}

/** What a reader asks for. */
interface Answer {
  readonly rows: readonly BareEvent[];
  readonly since: number;
  readonly response: ServerResponse;
}

async function stream({ rows, since, response }: Answer): Promise<void> {
  response.writeHead(200, STREAM_HEADERS);
  response.write(encodeConnected(since));
  for (let from = since; from < rows.length; from += READ_EVENTS) {
    const page = rows.slice(from, from + READ_EVENTS);
    for (let at = 0; at < page.length; at += WRITE_EVENTS) {
      const frames = page.slice(at, at + WRITE_EVENTS).map(encodeFrame);
      await write(response, frames.join(""));
    }
  }
  response.end(endOf(rows.length));
}

/** As one does who has rows and `JSON.stringify`. */
async function streamSingly({ rows, since, response }: Answer): Promise<void> {
  response.writeHead(200, STREAM_HEADERS);
  response.write(encodeConnected(since));
  for (let from = since; from < rows.length; from += READ_EVENTS) {
    for (const { sequence, eventType, payload, createdAtMs } of rows.slice(
      from,
      from + READ_EVENTS,
    )) {
      const createdAt = new Date(createdAtMs).toISOString();
      const event = { sequence, eventType, payload: JSON.parse(payload) as unknown, createdAt };
      const data = JSON.stringify({ type: "run_event", event });
      await write(response, `data: ${data}\nid: ${sequence}\n\n`);
    }
  }
  response.end(endOf(rows.length));
}

async function sendPage({ rows, since, response }: Answer): Promise<void> {
  const page = rows.slice(since, since + PAGE_EVENTS);
  const hasMore = since + page.length < rows.length;
  const status = hasMore ? "running" : "completed";
  const body = Buffer.from(
    `{"events":[${page.map(encodeEvent).join(",")}],"runStatus":"${status}","currentPhase":"work","lastSequence":${rows.length},"hasMore":${hasMore}}`,
  );
  response.writeHead(200, {
    "content-type": "application/json; charset=utf-8",
    "content-length": String(body.length),
  });
  response.end(body);
}

const ANSWERS: Readonly<Record<string, (answer: Answer) => Promise<void>>> = {
  "/stream": stream,
  "/singly": streamSingly,
  "/events": sendPage,
};

/** A log of this many events in an array, like the one of ours. */
function createRows(events: number): readonly BareEvent[] {
  const { eventType, payload } = sampleEvent(REPLAY_EVENT_BYTES);
  const last = events + REPLAY_HEAD.length;
  const text = JSON.stringify(payload);
  return Array.from({ length: last }, (_, index) => ({
    sequence: index + 1,
    eventType: index + 1 === last ? "RUN_COMPLETED" : eventType,
    payload: index + 1 === last ? "null" : text,
    createdAtMs: Date.now(),
  }));
}

/**
 * The least that replays: a log in memory that has ended, put between the same words and written. No store, no run to look up, no session,
 * no heartbeat, nothing that is shared with a second reader.
 */
function serveBare(events = ""): void {
  const rows = createRows(Number(events));
  serveReplay(
    createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
      const answer = ANSWERS[pathname];
      if (answer === undefined) response.writeHead(404).end();
      else void answer({ rows, since: Number(searchParams.get("since")), response });
    }),
  );
}

await runSubject({ ours: serveOurs, bare: serveBare });
