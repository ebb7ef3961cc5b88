import type { Fetch } from "@tm/run-events-conformance/http";
import type { ServerBreakage } from "../memory-server.ts";

/** A server that breaks one promise. */
export interface ServerMutant extends ServerBreakage {
  /** What it does wrong. */
  readonly name: string;
  /** The clause whose cases have to find it. */
  readonly clause: string;
}

/** An answer that is no stream, as a mutant sees it. */
export interface PlainAnswer {
  readonly request: Request;
  /** The path after the run's id, such as `/events`; empty for the run itself, `null` for none. */
  readonly leaf: string | null;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** The unbroken server. */
  readonly fetch: Fetch;
}

/** Where the request leads: `/events`, `/stream`, `/cancel`, empty for a run itself, `null` for anything else. */
export function leafOf(url: string): string | null {
  return /^\/v1\/agent-runs\/[^/]+(\/\w+)?$/.exec(new URL(url).pathname)?.[1] ?? null;
}

/** Every request passes through `change`. */
export function mapRequests(
  change: (request: Request, url: URL) => Request | Promise<Request>,
): Pick<ServerMutant, "wrap"> {
  return {
    wrap: (fetch) => async (request) => fetch(await change(request, new URL(request.url))),
  };
}

/** The same request with other headers; `null` takes one away. */
export function withHeaders(
  request: Request,
  changed: Readonly<Record<string, string | null>>,
): Request {
  const headers = new Headers(request.headers);
  for (const [name, value] of Object.entries(changed)) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  return new Request(request, { headers });
}

/** Every answer that is no stream passes through `change`; `null` leaves it as it is. */
export function mapAnswers(
  change: (answer: PlainAnswer) => Response | null | Promise<Response | null>,
): Pick<ServerMutant, "wrap"> {
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
  change: (answer: PlainAnswer) => Response | null | Promise<Response | null>,
): Pick<ServerMutant, "wrap"> {
  return mapAnswers((answer) => (answer.json["code"] === code ? change(answer) : null));
}

/** Every page passes through `change`. */
export function mapPages(
  change: (answer: PlainAnswer) => Response | null | Promise<Response | null>,
): Pick<ServerMutant, "wrap"> {
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

/**
 * Every frame of a stream passes through what `open` makes for that stream: what it returns is sent in the frame's place.
 */
export function mapFrames(
  open: () => (frame: PlainFrame) => readonly string[] | Promise<readonly string[]>,
): Pick<ServerMutant, "wrap"> {
  return {
    wrap: (fetch) => async (request) => {
      const response = await fetch(request);
      if (!isStream(response) || response.body === null) return response;
      const change = open();
      const encoder = new TextEncoder();
      let rest = "";
      const changed = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(
        new TransformStream<string, Uint8Array>({
          async transform(chunk, controller) {
            rest += chunk;
            for (let end = rest.indexOf("\n\n"); end !== -1; end = rest.indexOf("\n\n")) {
              const text = rest.slice(0, end + 2);
              rest = rest.slice(end + 2);
              const message = messageOf(text);
              for (const one of await change({ text, message, request, fetch })) {
                controller.enqueue(encoder.encode(one));
              }
            }
          },
        }),
      );
      return new Response(changed, { status: response.status, headers: response.headers });
    },
  };
}

/** Every stream's bytes pass through `change`. */
export function mapBodies(
  change: (body: ReadableStream<Uint8Array>, request: Request) => ReadableStream<Uint8Array>,
): Pick<ServerMutant, "wrap"> {
  return {
    wrap: (fetch) => async (request) => {
      const response = await fetch(request);
      if (!isStream(response) || response.body === null) return response;
      const { status, headers } = response;
      return new Response(change(response.body, request), { status, headers });
    },
  };
}

/** The stream's head passes through `change`. */
export function mapStreamHeaders(change: (headers: Headers) => void): Pick<ServerMutant, "wrap"> {
  return {
    wrap: (fetch) => async (request) => {
      const response = await fetch(request);
      if (!isStream(response)) return response;
      const headers = new Headers(response.headers);
      change(headers);
      return new Response(response.body, { status: response.status, headers });
    },
  };
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
