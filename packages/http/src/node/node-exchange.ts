import type { IncomingMessage, ServerResponse } from "node:http";
import { bounds } from "@tm/run-events-core/wire";
import type { Exchange } from "../exchange/exchange.ts";
import { headerOf } from "./header-of.ts";
import { parseQuery } from "../exchange/query.ts";
import { keptBody, readRequest } from "./read-request.ts";

/**
 * A request of node:http, or of the compatible API of node:http2. The query and the signal are made at their first use, since an
 * append needs neither (`pnpm bench http-append`). They are getters of a class, since V8 makes a hidden class for each object
 * literal with getters, and keeps it until its next full collection.
 */
export class NodeExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly wholePath: string;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #search: string;
  #query: URLSearchParams | null = null;
  #gone: AbortController | null = null;
  #awaitsContinue: boolean;
  readonly onGone: Exchange["onGone"];
  readonly isGone: Exchange["isGone"];

  /** @param awaitsContinue whether the client sends its body only after a 100 */
  constructor(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean) {
    // A proxy may send the absolute form (RFC 9112, section 3.2.2).
    const target = request.url ?? "/";
    const url = target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?]*/i, "");
    const mark = url.indexOf("?");
    this.method = request.method ?? "GET";
    this.path = mark === -1 ? url : url.slice(0, mark);
    this.wholePath = wholePathOf(request, this.path);
    this.#search = mark === -1 ? "" : url.slice(mark + 1);
    this.#request = request;
    this.#response = response;
    this.#awaitsContinue = awaitsContinue;
    ({ onGone: this.onGone, isGone: this.isGone } = listenForClose(response));
  }

  get query(): URLSearchParams {
    return (this.#query ??= parseQuery(this.#search));
  }

  get signal(): AbortSignal {
    if (this.#gone === null) {
      const controller = new AbortController();
      this.onGone(() => controller.abort());
      this.#gone = controller;
    }
    return this.#gone.signal;
  }

  readonly header = (name: string): string | null => headerOf(this.#request, name);

  body(): AsyncIterator<Uint8Array, unknown> {
    const kept = keptBody(this.#request);
    if (kept !== null) return yieldOnce(kept);
    this.#askForBody();
    // Leaving the loop early must not cut the connection: the answer is still to be sent.
    return this.#request.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array, unknown>;
  }

  readBody(maxBytes: number, grow: (bytes: number) => void): Promise<Uint8Array> {
    const kept = keptBody(this.#request);
    if (kept !== null) {
      if (kept.length > maxBytes) throw bounds.tooLarge(maxBytes);
      return Promise.resolve(kept);
    }
    this.#askForBody();
    return readRequest(this.#request, this.#response, maxBytes, grow);
  }

  #askForBody(): void {
    if (this.#awaitsContinue) this.#response.writeContinue();
    this.#awaitsContinue = false;
  }
}

/** Express cuts the path of `app.use(path, …)` off, and keeps it as `baseUrl`. Of that path alone it leaves a slash. */
function wholePathOf(request: IncomingMessage, path: string): string {
  const { baseUrl } = request as { readonly baseUrl?: unknown };
  if (typeof baseUrl !== "string" || baseUrl === "") return path;
  return path === "/" ? baseUrl : baseUrl + path;
}

async function* yieldOnce(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/**
 * Listens once for the end of the response, for all tasks in turn: a listener for each would stay as long as a stream lives.
 * The request's `close` would not do. That of the response comes however the connection ends, and whether or not the body was read.
 */
function listenForClose(response: ServerResponse): Pick<Exchange, "onGone" | "isGone"> {
  let gone = false;
  let onClose = ignore;
  response.on("close", () => {
    gone = true;
    onClose();
  });
  return {
    isGone: () => gone,
    onGone(task) {
      if (gone) task();
      else onClose = task;
      return () => {
        if (onClose === task) onClose = ignore;
      };
    },
  };
}

function ignore(): void {}
