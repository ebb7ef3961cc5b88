import type { Fetch } from "@tm/run-events-conformance/http";
import type { ServerBreakage } from "../memory-server.ts";

/** The fault of mutants, and the clause whose cases have to find it. */
export type Title = `${string} (W${number})`;

/** Servers that each break one promise. */
export type ServerMutants = Readonly<Record<Title, ServerBreakage>>;

/** The fault and the clause of a title. */
export function partsOf(title: string): { readonly name: string; readonly clause: string } {
  const [, name = "", clause = ""] = /^(.*) \((W\d+)\)$/.exec(title) ?? [];
  return { name, clause };
}

type Maybe<Value> = Value | Promise<Value>;

/** An answer that is no stream, as a mutant sees it. */
export interface PlainAnswer {
  readonly request: Request;
  /** The path after the run's id, such as `/events`; `null` for none. */
  readonly leaf: string | null;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** The unbroken server. */
  readonly fetch: Fetch;
}

/** The path after the run's id, such as `/events`; `null` for none. */
export function leafOf(url: string): string | null {
  return /^\/v1\/agent-runs\/[^/]+(\/\w+)?$/.exec(new URL(url).pathname)?.[1] ?? null;
}

/** Every request passes through `change`, which may also answer it. */
export function mapRequests(
  change: (request: Request, url: URL, fetch: Fetch) => Maybe<Request | Response>,
): ServerBreakage {
  return {
    wrap: (fetch) => async (request) => {
      const changed = await change(request, new URL(request.url), fetch);
      return changed instanceof Response ? changed : fetch(changed);
    },
  };
}

/** The query of every request passes through `change`. */
export function mapQueries(
  change: (query: URLSearchParams, request: Request) => void,
): ServerBreakage {
  return mapRequests((request, url) => {
    change(url.searchParams, request);
    return url.href === request.url ? request : new Request(url, request);
  });
}

/** The body of every request with this method and leaf passes through `change`. Creations have the leaf `runs`. */
export function mapBodies(route: string, change: (text: string) => string): ServerBreakage {
  return mapRequests(async (request) => {
    const { method } = request;
    const leaf = isCreation(request) ? "runs" : leafOf(request.url);
    if (`${method} ${leaf}` !== route) return request;
    return new Request(request, { method, body: change(await request.clone().text()) });
  });
}

/** Whether the request creates a run. */
export function isCreation({ method, url }: Request): boolean {
  return method === "POST" && url.endsWith("/agent-runs");
}

/** The same request with other headers; `null` takes one away. */
export function withHeaders(request: Request, changed: ChangedHeaders): Request {
  return new Request(request, { headers: changeHeaders(request.headers, changed) });
}

/** The same answer with other headers; `null` takes one away. */
export function answerWith(
  { status, headers, text }: PlainAnswer,
  changed: ChangedHeaders,
): Response {
  const body = status === 204 ? null : text;
  return new Response(body, { status, headers: changeHeaders(headers, changed) });
}

type ChangedHeaders = Readonly<Record<string, string | null>>;

function changeHeaders(headers: Headers, changed: ChangedHeaders): Headers {
  const all = new Headers(headers);
  for (const [name, value] of Object.entries(changed)) {
    if (value === null) all.delete(name);
    else all.set(name, value);
  }
  return all;
}

/** Every answer that is no stream passes through `change`; `null` leaves it as it is. */
export function mapAnswers(
  change: (answer: PlainAnswer) => Maybe<Response | null>,
): ServerBreakage {
  return {
    wrap: (fetch) => async (request) => {
      const kept = request.clone();
      const response = await fetch(request);
      if (isStream(response)) return response;
      const text = await response.clone().text();
      const { status, headers } = response;
      const isJson = headers.get("content-type")?.includes("json") === true && text !== "";
      const json = isJson ? (JSON.parse(text) as PlainAnswer["json"]) : {};
      const leaf = leafOf(request.url);
      const answer = { request: kept, leaf, status, headers, text, json, fetch };
      return (await change(answer)) ?? response;
    },
  };
}

/** Every problem with this code passes through `change`. */
export function mapProblems(
  code: string,
  change: (answer: PlainAnswer) => Maybe<Response | null>,
): ServerBreakage {
  return mapAnswers((answer) => (answer.json["code"] === code ? change(answer) : null));
}

/** Every page passes through `change`. */
export function mapPages(change: (answer: PlainAnswer) => Maybe<Response | null>): ServerBreakage {
  return mapAnswers((answer) => (answer.json["hasMore"] === undefined ? null : change(answer)));
}

/** The answer with another body. */
export function withBody({ status, headers }: PlainAnswer, body: object | string): Response {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Response(text, { status, headers });
}

/** Another answer in JSON. */
export function answerJson(status: number, body: object): Response {
  const headers = { "content-type": "application/json", "cache-control": "private, no-store" };
  return Response.json(body, { status, headers });
}

/** A problem. */
export function answerProblem(status: number, code: string, members: object = {}): Response {
  const headers = { "content-type": "application/problem+json", "www-authenticate": "Bearer" };
  return Response.json({ status, code, ...members }, { status, headers });
}

/** The run that the request is about, as its owner sees it. */
export async function runOf(
  fetch: Fetch,
  request: Request,
): Promise<Readonly<Record<string, unknown>>> {
  const { origin, pathname } = new URL(request.url);
  const path = pathname.split("/").slice(0, 4).join("/");
  const headers = new Headers();
  for (const name of ["authorization", "cookie"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const response = await fetch(new Request(`${origin}${path}`, { headers }));
  return (await response.json()) as Readonly<Record<string, unknown>>;
}

/** One frame, as a mutant sees it. */
export interface PlainFrame {
  /** With its blank line. */
  readonly text: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly request: Request;
  /** The unbroken server. */
  readonly fetch: Fetch;
}

/** Every frame of a stream passes through what `open` makes for that stream: what it returns is sent in the frame's place. */
export function mapFrames(
  open: () => (frame: PlainFrame) => Maybe<readonly string[]>,
): ServerBreakage {
  return mapStreams((body, request, fetch) => {
    const change = open();
    const [decoder, encoder] = [new TextDecoder(), new TextEncoder()];
    let rest = "";
    return body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        async transform(chunk, controller) {
          const texts = (rest + decoder.decode(chunk, { stream: true })).split(/(?<=\n\n)/);
          rest = texts.at(-1)?.endsWith("\n\n") === true ? "" : (texts.pop() ?? "");
          for (const text of texts) {
            const message = messageOf(text);
            for (const one of await change({ text, message, request, fetch })) {
              controller.enqueue(encoder.encode(one));
            }
          }
        },
      }),
    );
  });
}

/** Every frame of a stream passes through `change`. */
export function eachFrame(change: (frame: PlainFrame) => Maybe<readonly string[]>): ServerBreakage {
  return mapFrames(() => change);
}

/** Every stream's bytes, and its head, pass through `change`. */
export function mapStreams(
  change: (
    body: ReadableStream<Uint8Array>,
    request: Request,
    fetch: Fetch,
    headers: Headers,
  ) => ReadableStream<Uint8Array>,
): ServerBreakage {
  return {
    wrap: (fetch) => async (request) => {
      const response = await fetch(request);
      if (!isStream(response) || response.body === null) return response;
      const headers = new Headers(response.headers);
      const body = change(response.body, request, fetch, headers);
      return new Response(body, { status: response.status, headers });
    },
  };
}

/** Every stream's head passes through `change`. */
export function mapStreamHeaders(change: (headers: Headers) => void): ServerBreakage {
  return mapStreams((body, _request, _fetch, headers) => {
    change(headers);
    return body;
  });
}

/** A frame with this message. */
export function encodeFrame(message: object): string {
  return `data: ${JSON.stringify(message)}\n\n`;
}

/** The sequence of the event in a frame; 0 if it has none. */
export function sequenceIn({ message }: PlainFrame): number {
  return (message["event"] as { readonly sequence: number } | undefined)?.sequence ?? 0;
}

/** Whether the frame has the event that ends the run. */
export function isTerminalEvent({ message }: PlainFrame): boolean {
  const { eventType = "" } =
    (message["event"] as { readonly eventType?: string } | undefined) ?? {};
  return ["RUN_COMPLETED", "RUN_FAILED", "RUN_CANCELLED"].includes(eventType);
}

function isStream({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") === true;
}

function messageOf(text: string): PlainFrame["message"] {
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? "{}") as PlainFrame["message"];
}
