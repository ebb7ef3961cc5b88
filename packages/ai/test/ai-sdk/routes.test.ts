import { type RunEvents, RunEventsError } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { createChats } from "../../src/ai-sdk.ts";
import { textOf } from "./page-chat.ts";
import { createServer } from "./server.ts";
import { asked, openRuns, OWNER, PLACE, saying } from "./small-chats.ts";

/** A message whose data are nested so deep, and that has so much text. */
function deepMessage(depth: number, length: number): unknown {
  const data: unknown = JSON.parse("[".repeat(depth) + "]".repeat(depth));
  return {
    ...asked("a", "x".repeat(length)),
    parts: [{ type: "data-x", data }, ...asked("a", "x".repeat(length)).parts],
  };
}

describe("the routes", () => {
  it("the messages of a chat are at its path", async () => {
    const server = createServer(openRuns());
    await (
      await server.chats.answer({ ...PLACE, message: asked("a") }, () => saying("b"))
    ).done;
    const response = await server.ask("GET", "/tea");
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(await response.json()).toEqual(
      JSON.parse(JSON.stringify(await server.chats.read("tea", OWNER))),
    );
  });

  it("a chat may have any id that a topic may be", async () => {
    const server = createServer(openRuns());
    const id = "a/b ?#%é";
    await (
      await server.chats.answer({ ...OWNER, chatId: id, message: asked("a") }, () => saying("b"))
    ).done;
    const page = await server.openPage(id);
    expect(page.messages.map(textOf)).toEqual(["a", "b"]);
    await page.resumeStream();
    expect(page.status).toBe("ready");
  });

  it.each([
    ["without messages", { id: "tea" }],
    ["without an id", { message: asked("a") }],
    ["with what is no message", { id: "tea", message: "Why?" }],
    ["with a message without parts", { id: "tea", message: { id: "a", role: "user", parts: [] } }],
    ["with a message of the system", { id: "tea", message: { ...asked("a"), role: "system" } }],
    ["with an id that is too long", { id: "x".repeat(201), message: asked("a") }],
    ["with an id that no path can have", { id: "..", message: asked("a") }],
    ["with a part that is nested too deep", { id: "tea", message: deepMessage(2_000, 1) }],
    ["with a large one", { id: "tea", message: deepMessage(2_000, 300_000) }],
    ["that is not an object", [1]],
  ])("a question %s is refused", async (_name, body) => {
    const response = await createServer(openRuns()).ask("POST", "", body);
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ status: 400, code: "invalid_request" });
  });

  it("a question that a form of a foreign site can send is refused", async () => {
    const { handle } = createServer(openRuns());
    const body = JSON.stringify({ id: "tea", message: asked("a") });
    const request = new Request("http://localhost/api/chat", { method: "POST", body });
    expect((await handle(request)).status).toBe(400);
  });

  it("a caller without a credential is refused", async () => {
    const { handle } = createServer(openRuns());
    const headers = { user: "" };
    expect((await handle(new Request("http://localhost/api/chat/tea", { headers }))).status).toBe(
      401,
    );
  });

  it.each([
    ["PUT", "/tea"],
    ["GET", "/tea/stop"],
    ["GET", "/tea/stream/more"],
    ["GET", "/tea/messages"],
    ["POST", "/tea/send"],
    ["POST", "/tea"],
    ["GET", ""],
    ["GET", "s/tea"],
    ["GET", "/"],
  ])("%s /api/chat%s is not found", async (method, path) => {
    expect((await createServer(openRuns()).ask(method, path)).status).toBe(404);
  });

  it("a bad escape in the path is refused", async () => {
    expect((await createServer(openRuns()).ask("GET", "/%E0%A4%A/stream")).status).toBe(400);
  });

  it("a store that is away is answered 503, and an error of the program is thrown", async () => {
    const runs = openRuns();
    const server = createServer(runs);
    await runs.close();
    const response = await server.ask("GET", "/tea");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    const handle = server.chats.routes({
      authenticate: () => {
        throw new Error("no session store");
      },
      answer: () => saying("never"),
    });
    await expect(handle(new Request("http://localhost/api/chat/tea"))).rejects.toThrow(
      "no session store",
    );
  });

  it("a question is taken with a content type in any case, and not with a longer one", async () => {
    const { handle } = createServer(openRuns());
    const body = JSON.stringify({ id: "tea", message: { ...asked("a"), role: "system" } });
    const details: unknown[] = [];
    for (const type of ["Application/JSON ; charset=utf-8", "application/jsonp"]) {
      const init = { method: "POST", body, headers: { "content-type": type } };
      const response = await handle(new Request("http://localhost/api/chat", init));
      details.push(((await response.json()) as { readonly detail: string }).detail.slice(0, 20));
    }
    expect(details).toEqual(["Expected `message` t", "Expected a body with"]);
  });

  it("a question whose process hung until its lease was over is answered 503: it is not recorded", async () => {
    const runs = openRuns();
    const list: RunEvents["list"] = async () => {
      throw new RunEventsError("fenced", "The lease expired: another worker may have the run.");
    };
    const server = createServer({ ...runs, list });
    const response = await server.ask("POST", "", { id: "tea", message: asked("a") });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  });

  it("a question that is stopped before it is recorded is refused", async () => {
    const runs = openRuns();
    const list: RunEvents["list"] = async (which) => {
      for (const { runId } of (await runs.list({ ...which, status: "live" })).runs) {
        await runs.cancel(runId, OWNER);
      }
      return runs.list(which);
    };
    const server = createServer({ ...runs, list });
    const response = await server.ask("POST", "", { id: "tea", message: asked("a") });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: "run_finished", runStatus: "cancelled" });
    expect(await server.read("tea")).toEqual([]);
  });

  it("the routes may be at another path, and the answer sees what the page has sent", async () => {
    const chats = createChats({ runs: openRuns() });
    const handle = chats.routes({
      api: "/v2/ask",
      authenticate: () => "ada",
      answer: ({ body, chatId, ownerId }) =>
        saying(JSON.stringify([body["model"], chatId, ownerId])),
    });
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ id: "tea", message: asked("a"), model: "small" });
    const init = { method: "POST", headers, body };
    await (await handle(new Request("http://localhost/v2/ask", init))).text();
    const { messages } = await chats.read("tea", OWNER);
    expect(textOf(messages[1])).toBe('["small","tea","ada"]');
  });
});
