import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { createThreads } from "../src/ag-ui.ts";
import { createChats } from "../src/ai-sdk.ts";
import { asked, saying } from "./ai-sdk/small-chats.ts";

const ALLOWED = "https://app.example";
const INPUT = { threadId: "tea", runId: "r", messages: [], tools: [], context: [], state: {} };

/** The routes of chats and of threads, for pages of their own origin and of `ALLOWED`. */
function openRoutes(): readonly (readonly [
  api: string,
  body: unknown,
  handle: (request: Request) => Promise<Response>,
])[] {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  const callers = { authenticate: () => "ada", allowedOrigins: [ALLOWED] };
  const chats = createChats({ runs }).routes({ ...callers, answer: () => saying("b") });
  const threads = createThreads({ runs }).routes({
    ...callers,
    async *agent() {
      yield { type: "RUN_FINISHED" };
    },
  });
  return [
    ["/api/chat", { id: "tea", message: asked("a") }, chats],
    ["/api/agent", INPUT, threads],
  ];
}

it.each<readonly [name: string, headers: Readonly<Record<string, string>>, status: number]>([
  [
    "a page of another site",
    { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
    403,
  ],
  ["a page of another port", { origin: "http://localhost:81" }, 403],
  ["a form without an origin", { "sec-fetch-site": "cross-site", origin: "null" }, 403],
  ["a page of an origin on the list", { "sec-fetch-site": "cross-site", origin: ALLOWED }, 200],
  ["a page of its own origin", { origin: "http://localhost" }, 200],
  ["a program that is no browser", {}, 200],
])("W5: a question and a stop of %s", async (_name, sent, status) => {
  for (const [api, body, handle] of openRoutes()) {
    const headers = { ...sent, "content-type": "application/json" };
    const question = { method: "POST", headers, body: JSON.stringify(body) };
    const stop = { method: "POST", headers: sent };
    for (const [path, init] of [
      ["", question],
      ["/tea/stop", stop],
    ] as const) {
      const response = await handle(new Request(`http://localhost${api}${path}`, init));
      expect([api, path, response.status]).toEqual([api, path, status]);
      if (status === 403)
        expect(await response.json()).toMatchObject({ code: "cross_site_request" });
      else await response.body?.cancel();
    }
  }
});
