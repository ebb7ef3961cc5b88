import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Answers the n-th request, from 0. */
export type Script = (response: ServerResponse, index: number, request: IncomingMessage) => void;

/** A server on loopback that answers by a test's script, not by the wire's rules. */
export interface ScriptedServer {
  readonly baseUrl: string;
  /** The requested paths, with their queries, but without the times of cursors. */
  readonly requests: readonly string[];
  /** The same, with the times. */
  readonly addresses: readonly string[];
  /** Answers that have not ended. */
  readonly open: ReadonlySet<ServerResponse>;
}

/** Starts such a server. It stops at the test's end. */
export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const requests: string[] = [];
  const addresses: string[] = [];
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    open.add(response);
    response.on("close", () => open.delete(response));
    const address = (request.url ?? "").replace("/v1/agent-runs/", "");
    addresses.push(address);
    const index = requests.push(address.replaceAll(/&at=[^&]*|@[^,]*/g, "")) - 1;
    script(response, index, request);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { baseUrl: `http://127.0.0.1:${port}`, requests, addresses, open };
}

/** Begins a stream, and writes these frames. */
export function stream(response: ServerResponse, ...frames: readonly string[]): ServerResponse {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  for (const frame of frames) response.write(frame);
  return response;
}

/** Answers with a page of these sequences. Unless another one is given, the last of them ends a run that has finished. */
export function page(
  response: ServerResponse,
  sequences: readonly number[],
  runStatus = "running",
  lastSequence: number = runStatus === "running" ? 9 : (sequences.at(-1) ?? 0),
): void {
  const events = sequences.map(eventOf);
  json(response, 200, { events, runStatus, currentPhase: null, lastSequence, hasMore: false });
}

/** Answers with JSON. It is a problem of the server if it is not a success and has a `code`. @see clause W3 in `WIRE.md` */
export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const type = status < 400 ? "application/json" : "application/problem+json";
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(JSON.stringify(body));
}

/** An event's frame. */
export function event(sequence: number): string {
  return frame({ type: "run_event", event: eventOf(sequence) });
}

/** The frame of any message. */
export function frame(message: unknown, retryMs?: number): string {
  return `${retryMs === undefined ? "" : `retry: ${retryMs}\n`}data: ${JSON.stringify(message)}\n\n`;
}

/** The first frame. */
export function connected(retryMs?: number): string {
  return frame({ type: "connected", ...update("running", 9) }, retryMs);
}

/** The last frame of a run that has ended. */
export function finished(lastSequence: number): string {
  return frame({ type: "run_finished", ...update("completed", lastSequence) });
}

/** A heartbeat. */
export function status(): string {
  return frame({ type: "status", ...update("running", 9) });
}

function update(runStatus: string, lastSequence: number): object {
  return { runStatus, currentPhase: null, lastSequence };
}

function eventOf(sequence: number): object {
  return { sequence, eventType: "TOKEN", payload: sequence, createdAt: "2026-01-01T00:00:00.000Z" };
}
