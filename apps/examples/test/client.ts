import { type ClientRequest, request } from "node:http";
import { onTestFinished } from "vitest";

/** The bearer tokens of the recipes' two users. */
export const ADA = "a-token-of-ada";
export const BOB = "a-token-of-bob";

/** What a client of one recipe does. */
export interface Client {
  /** Sends a request, by default as `ada` with her token; with a body, as JSON, which a string is already. */
  call(method: string, path: string, init?: CallInit): Promise<Response>;
  /** A new session's `Cookie` header. */
  signIn(token?: string): Promise<string>;
  /** Records a run of `ada`'s. @returns its path */
  createRun(): Promise<string>;
  /** Appends events as they are in this JSON. */
  append(runPath: string, events: string): Promise<Response>;
  /** Begins to append lines. It is broken off when the test has finished. */
  upload(runPath: string): ClientRequest;
}

interface CallInit {
  readonly body?: unknown;
  /** In place of the token's header. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** @param sessionPath the path to sign in at */
export function createClient(urlOf: () => string, sessionPath = "/session"): Client {
  async function call(method: string, path: string, init: CallInit = {}): Promise<Response> {
    const { body, headers = { authorization: `Bearer ${ADA}` } } = init;
    const type = body === undefined ? {} : { "content-type": "application/json" };
    return fetch(urlOf() + path, {
      method,
      headers: { ...type, ...headers },
      body: typeof body === "string" ? body : (JSON.stringify(body) ?? null),
    });
  }
  return {
    call,
    async signIn(token = ADA) {
      const headers = { authorization: `Bearer ${token}` };
      const { headers: answer } = await call("POST", sessionPath, { headers });
      return answer.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    },
    async createRun() {
      return (await call("POST", "/v1/agent-runs", { body: {} })).headers.get("location") ?? "";
    },
    append: (runPath, events) =>
      call("POST", `${runPath}/events`, { body: `{"events":[${events}]}` }),
    upload(runPath) {
      const lines = request(`${urlOf()}${runPath}/events`, {
        method: "POST",
        headers: { authorization: `Bearer ${ADA}`, "content-type": "application/x-ndjson" },
      });
      onTestFinished(() => void lines.destroy());
      return lines;
    },
  };
}
