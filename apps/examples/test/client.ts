import { onTestFinished } from "vitest";
import { type LiveStream, openStream } from "./open-stream.ts";

/** The bearer tokens of the recipes' two users. */
export const ADA = "a-token-of-ada";
export const BOB = "a-token-of-bob";

/** The calls of a client of one recipe. */
export interface Client {
  /** Sends a request, by default as `ada` with her token; with a body, as JSON, which a string is already. */
  call(method: string, path: string, init?: CallInit): Promise<Response>;
  /** A new session's `Cookie` header. */
  signIn(token?: string): Promise<string>;
  /** Records a run of the token's user, by default `ada`. @returns its path */
  createRun(token?: string): Promise<string>;
  /** Appends events as they are in this JSON. */
  append(runPath: string, events: string): Promise<Response>;
  /** Begins to append lines. It is broken off when the test has finished. */
  upload(runPath: string): Upload;
  /** Opens the live stream of a run of `ada`'s, by default with a new session of hers. */
  follow(runPath: string, headers?: Readonly<Record<string, string>>): Promise<LiveStream>;
}

/** Lines that are being appended. */
interface Upload {
  write(text: string): void;
  /** Ends the body. */
  end(): void;
  /** Breaks the connection. */
  leave(): void;
  readonly answer: Promise<Response>;
}

interface CallInit {
  readonly body?: unknown;
  /** In place of the token's header. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Breaks the request off. */
  readonly signal?: AbortSignal;
}

/** The options that differ from host to host. */
export interface ClientOptions {
  /**
   * The path to sign in at.
   * @defaultValue `/session`
   */
  readonly sessionPath?: string;
  /**
   * Sends the requests.
   * @defaultValue Node's own `fetch`, over HTTP/1.1
   */
  readonly fetch?: typeof globalThis.fetch;
}

/** Creates a client of a recipe. */
export function createClient(urlOf: () => string, options: ClientOptions = {}): Client {
  const { sessionPath = "/session", fetch = globalThis.fetch } = options;
  async function call(method: string, path: string, init: CallInit = {}): Promise<Response> {
    const { body, headers = { authorization: `Bearer ${ADA}` }, signal } = init;
    const type = body === undefined ? {} : { "content-type": "application/json" };
    return fetch(urlOf() + path, {
      method,
      headers: { ...type, ...headers },
      ...(signal === undefined ? {} : { signal }),
      body: typeof body === "string" ? body : (JSON.stringify(body) ?? null),
    });
  }
  async function signIn(token = ADA): Promise<string> {
    const headers = { authorization: `Bearer ${token}` };
    const { headers: answer } = await call("POST", sessionPath, { headers });
    return answer.getSetCookie()[0]?.split(";", 1)[0] ?? "";
  }
  return {
    call,
    signIn,
    async follow(runPath, headers) {
      const sent = headers ?? { cookie: await signIn() };
      return openStream(`${urlOf()}${runPath}/stream`, sent, { fetch });
    },
    async createRun(token = ADA) {
      const headers = { authorization: `Bearer ${token}` };
      const { headers: answer } = await call("POST", "/v1/agent-runs", { body: {}, headers });
      return answer.get("location") ?? "";
    },
    append: (runPath, events) =>
      call("POST", `${runPath}/events`, { body: `{"events":[${events}]}` }),
    upload(runPath) {
      const controller = new AbortController();
      onTestFinished(() => controller.abort());
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      // When the client leaves, the writer fails too.
      writer.closed.catch(() => {});
      const answer = fetch(`${urlOf()}${runPath}/events`, {
        method: "POST",
        headers: { authorization: `Bearer ${ADA}`, "content-type": "application/x-ndjson" },
        body: readable,
        duplex: "half",
        signal: controller.signal,
      } as RequestInit);
      answer.catch(() => {});
      return {
        write: (text) => void writer.write(new TextEncoder().encode(text)).catch(() => {}),
        end: () => void writer.close().catch(() => {}),
        leave: () => controller.abort(),
        answer,
      };
    },
  };
}
