import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished, vi } from "vitest";
import { createServer, type TestServer } from "./server.ts";

function openServer(): TestServer {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  return createServer(runs);
}

const INPUT = { threadId: "tea", runId: "r", messages: [] };

it("a malformed request is refused with a problem", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const server = openServer();
  const requests: readonly (readonly [
    method: string,
    path: string,
    body: unknown,
    status: number,
  ])[] = [
    ["POST", "", {}, 400],
    ["POST", "", "tea", 400],
    ["POST", "", { ...INPUT, threadId: "" }, 400],
    ["POST", "", { ...INPUT, threadId: "a\nb" }, 400],
    ["POST", "", { ...INPUT, threadId: ".." }, 400],
    ["POST", "", { ...INPUT, messages: [{ role: "user" }] }, 400],
    ["GET", "", undefined, 404],
    ["GET", "/tea", undefined, 404],
    ["POST", "/tea/stream", {}, 404],
    ["GET", "/tea/stream?since=other:1", undefined, 404],
    ["GET", "/tea/stream?since=", undefined, 404],
    ["GET", "/%E0%A4%A/stream", undefined, 400],
  ];
  for (const [method, path, body, status] of requests) {
    const response = await server.ask(method, path, body);
    expect([method, path, response.status]).toEqual([method, path, status]);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  }
  const unknown = new Request("http://localhost/api/agent/tea/stream", { headers: { user: "" } });
  expect((await server.handle(unknown)).status).toBe(401);
});

it("a stop of a thread that does not run says so, and a thread without runs ends at once", async () => {
  const server = openServer();
  expect(await (await server.ask("POST", "/tea/stop")).json()).toEqual({ stopped: false });
  const stream = await server.ask("GET", "/tea/stream");
  expect(stream.headers.get("content-type")).toBe("text/event-stream");
  expect(await stream.text()).toBe("event: end\n\n");
});

it("an agent may be a generator, and its events may come from an `Observable`", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  const { threads } = createServer(runs);
  const finished = { type: "RUN_FINISHED" };
  const sources = [
    async function* generated() {
      yield finished;
    },
    () => ({
      subscribe(observer: { next: (event: typeof finished) => void; complete: () => void }) {
        observer.next(finished);
        observer.complete();
        return { unsubscribe: () => {} };
      },
    }),
  ];
  for (const [index, source] of sources.entries()) {
    const input = { ...INPUT, runId: `r-${index}`, tools: [], context: [] };
    const { done, events } = await threads.record({ ownerId: "ada", input }, source);
    await done;
    const types: string[] = [];
    for await (const { event } of events) types.push(event.type);
    expect(types).toEqual(["RUN_STARTED", "RUN_FINISHED"]);
  }
});
