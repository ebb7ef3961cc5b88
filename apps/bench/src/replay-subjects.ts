import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import Database from "better-sqlite3";
import { createRunEvents } from "@tm/run-events-core";
import { type BareEvent, encodeConnected, encodeFrame, STREAM_HEADERS } from "./bare-stream.ts";
import { runSubject, serveParent } from "./child.ts";
import { listen } from "./listen.ts";
import { openStore } from "./open-store.ts";
import { fillReplay, REPLAY_OWNER, type ReplayStore } from "./replay-log.ts";
import { openRows, type Rows } from "./replay-rows.ts";
import { readUsage, type Usage } from "./rounds.ts";
import { createRunServer, type RunServer } from "./run-server.ts";

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

/** A log that was filled in one go says few times; one that was recorded says another one for each event. */
function spreadTimes(file: string): void {
  const database = new Database(file);
  database.exec("UPDATE run_events_events SET created_at_ms = created_at_ms + 20 * sequence");
  database.close();
}

async function serveOurs(kind = "", location = "", events = ""): Promise<void> {
  const runs = createRunEvents({ store: await openStore(kind as ReplayStore, location) });
  await fillReplay(runs, Number(events));
  if (kind === "sqlite") spreadTimes(location);
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
  readonly rows: Rows;
  readonly since: number;
  readonly response: ServerResponse;
}

async function stream({ rows, since, response }: Answer): Promise<void> {
  response.writeHead(200, STREAM_HEADERS);
  response.write(encodeConnected(since));
  for (let from = since; from < rows.last; from += READ_EVENTS) {
    const page = await rows.read(from, READ_EVENTS);
    for (let at = 0; at < page.length; at += WRITE_EVENTS) {
      const frames = page.slice(at, at + WRITE_EVENTS).map(encodeFrame);
      await write(response, frames.join(""));
    }
  }
  response.end(endOf(rows.last));
}

/** As one does who has rows and `JSON.stringify`. */
async function streamSingly({ rows, since, response }: Answer): Promise<void> {
  response.writeHead(200, STREAM_HEADERS);
  response.write(encodeConnected(since));
  for (let from = since; from < rows.last; from += READ_EVENTS) {
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
  response.end(endOf(rows.last));
}

async function sendPage({ rows, since, response }: Answer): Promise<void> {
  const page = await rows.read(since, PAGE_EVENTS);
  const hasMore = since + page.length < rows.last;
  const status = hasMore ? "running" : "completed";
  const body = Buffer.from(
    `{"events":[${page.map(encodeEvent).join(",")}],"runStatus":"${status}","currentPhase":"work","lastSequence":${rows.last},"hasMore":${hasMore}}`,
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

/**
 * The least that replays: rows of a log that has ended, put between the same words and written. No run to look up, no session, no
 * heartbeat, nothing that is shared with a second reader.
 */
async function serveBare(kind = "", location = ""): Promise<void> {
  const rows = await openRows(kind as ReplayStore, location);
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
