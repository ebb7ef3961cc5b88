import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type BareEvent, encodeConnected, encodeFrame, STREAM_HEADERS } from "./bare-stream.ts";
import { openRows } from "./replay-rows.ts";
import { type ReplayStore, serveReplay } from "./replay-server.ts";

// The least that replays: rows of a log that has ended, put between the same words and written. No run to look up, no
// session, no heartbeat, nothing that is shared with a second reader.

/** As many events as ours reads at once, as it writes at once, and as its page has. */
const READ_EVENTS = 448;
const WRITE_EVENTS = 112;
const PAGE_EVENTS = 500;

const [, , kind = "", location = ""] = process.argv;
const rows = await openRows(kind as ReplayStore, location);
const { last } = rows;

const STATE = `"runStatus":"completed","currentPhase":"work","lastSequence":${last}`;
const FINISHED = `data: {"type":"run_finished",${STATE}}\nretry: 3600000\nid: ${last + 1}\n\n`;

/** Resolves when the response takes more, if it does not. */
async function write(response: ServerResponse, text: string): Promise<void> {
  if (!response.write(text)) await once(response, "drain");
}

async function stream(since: number, response: ServerResponse): Promise<void> {
  response.writeHead(200, STREAM_HEADERS);
  response.write(encodeConnected(since));
  for (let from = since; from < last; from += READ_EVENTS) {
    const page = await rows.read(from, READ_EVENTS);
    for (let at = 0; at < page.length; at += WRITE_EVENTS) {
      const frames = page.slice(at, at + WRITE_EVENTS).map(encodeFrame);
      await write(response, frames.join(""));
    }
  }
  response.end(FINISHED);
}

/** As one does who has rows and `JSON.stringify`. */
async function streamSingly(since: number, response: ServerResponse): Promise<void> {
  response.writeHead(200, STREAM_HEADERS);
  response.write(encodeConnected(since));
  for (let from = since; from < last; from += READ_EVENTS) {
    for (const { sequence, eventType, payload, createdAtMs } of await rows.read(
      from,
      READ_EVENTS,
    )) {
      const createdAt = new Date(createdAtMs).toISOString();
      const event = { sequence, eventType, payload: JSON.parse(payload) as unknown, createdAt };
      const data = JSON.stringify({ type: "run_event", event });
      await write(response, `data: ${data}\nid: ${sequence}\n\n`);
    }
  }
  response.end(FINISHED);
}

function encodeEvent({ sequence, eventType, payload, createdAtMs }: BareEvent): string {
  const createdAt = new Date(createdAtMs).toISOString();
  return `{"sequence":${sequence},"eventType":"${eventType}","payload":${payload},"createdAt":"${createdAt}"}`;
}

async function sendPage(since: number, response: ServerResponse): Promise<void> {
  const page = await rows.read(since, PAGE_EVENTS);
  const hasMore = since + page.length < last;
  const status = hasMore ? "running" : "completed";
  const body = Buffer.from(
    `{"events":[${page.map(encodeEvent).join(",")}],"runStatus":"${status}","currentPhase":"work","lastSequence":${last},"hasMore":${hasMore}}`,
  );
  response.writeHead(200, {
    "content-type": "application/json; charset=utf-8",
    "content-length": String(body.length),
  });
  response.end(body);
}

const ANSWERS: Readonly<
  Record<string, (since: number, response: ServerResponse) => Promise<void>>
> = {
  "/stream": stream,
  "/singly": streamSingly,
  "/events": sendPage,
};

serveReplay(
  createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    const answer = ANSWERS[pathname];
    if (answer === undefined) response.writeHead(404).end();
    else void answer(Number(searchParams.get("since")), response);
  }),
);
