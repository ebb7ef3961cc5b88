import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { createHandler, type Identity } from "../src/index.ts";
import { createLineCutter } from "../src/contract/line-cutter.ts";
import { createNodeHandler } from "../src/node.ts";
import { openRuns, serve } from "./harness/host.ts";
import { createManualClock } from "./harness/manual-clock.ts";

const ADA: Identity = { userId: "ada", credential: "bearer" };

/** Wrong answers of a host's `authenticate`, each with a part of the error that the host gets. */
const NO_IDENTITIES: readonly (readonly [unknown, string])[] = [
  [undefined, "got another value: undefined"],
  [false, "got another boolean"],
  ["ada", "got another string"],
  [{ userId: "ada", credential: "secret-jwt" }, "got another object"],
  [{ userId: undefined, credential: "bearer" }, "got another object"],
  [{ userId: "", credential: "session" }, "got another object"],
  [{ userId: 7, credential: "session" }, "got another object"],
];

it.each(NO_IDENTITIES)(
  "W4, W5: an `authenticate` that returns %o lets no one in, and `onError` gets what came",
  async (answer, expected) => {
    const runs = await openRuns();
    const reported: unknown[] = [];
    const handler = createHandler({
      runs,
      authenticate: () => answer as Identity,
      onError: (error) => void reported.push(error),
    });
    const foreign = { origin: "http://evil.example", "sec-fetch-site": "cross-site" };
    for (const [method, path] of [
      ["GET", "/v1/agent-runs/r"],
      ["GET", "/v1/agent-runs"],
      ["POST", "/v1/agent-runs"],
      ["POST", "/v1/agent-runs/r/cancel"],
    ] as const) {
      const request = new Request(`http://localhost${path}`, { method, headers: foreign });
      const response = await handler.fetch(request);
      expect([path, response.status]).toEqual([path, 500]);
      expect(await response.text()).not.toContain("ada");
    }
    const stream = await handler.fetch(new Request("http://localhost/v1/agent-runs/r/stream"));
    const frame = await stream.text();
    expect(frame).toContain('"code":"internal"');
    expect(frame).not.toContain("connected");
    expect(await runs.as("ada").get("r")).toMatchObject({ runStatus: "queued" });
    expect((await runs.list({ ownerId: "ada" })).runs).toHaveLength(1);
    const messages = reported.map(String);
    expect(messages).toEqual(Array(5).fill(expect.stringContaining(expected)));
    expect(messages.join()).not.toContain("secret-jwt");
  },
);

it.each([
  [{ userId: "ada" }, 1],
  [{ userId: "bob", credential: "session" }, 0],
  [{ userId: "ada", credential: "bearer" }, 0],
  [null, 0],
])("W26: a stream ends when `authenticate` later returns %j", async (later, faults) => {
  const clock = createManualClock();
  const runs = await openRuns({ clock });
  const reported: unknown[] = [];
  let answer: unknown = { userId: "ada", credential: "session" };
  const handler = createHandler({
    runs,
    heartbeatMs: 1_000,
    authenticate: () => answer as Identity,
    onError: (error) => void reported.push(error),
  });
  const { body } = await handler.fetch(new Request("http://localhost/v1/agent-runs/r/stream"));
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toContain("connected");
  answer = later;
  const next = reader?.read();
  clock.advance(1_000);
  expect((await next)?.value).toContain('"code":"unauthenticated"');
  expect(reported).toHaveLength(faults);
  await reader?.cancel();
});

it.each([
  [{}, "Expected `runs` to be what `createRunEvents({ store })`", "got undefined"],
  [{ runs: null }, "Expected `runs`", "got null"],
  [{ runs: createMemoryStore() }, "Expected `runs`", "got another object"],
  [
    { runs: createRunEvents({ store: createMemoryStore() }) },
    "Expected `authenticate` to be a function",
    "got undefined",
  ],
  [
    { runs: createRunEvents({ store: createMemoryStore() }), authenticate: "ada" },
    "Expected `authenticate`",
    "got a string",
  ],
])("a handler with invalid options is refused: %#", (options, expected, got) => {
  for (const create of [createHandler, createNodeHandler]) {
    const make = (): unknown => create(options as unknown as never);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(expected);
    expect(make).toThrow(got);
  }
});

it.each([
  ["/api/v1/agent-runs", "Expected a path that begins with /v1/agent-runs, got one with a prefix."],
  ["/v1/agent-runs-of-mine", "Expected /v1/agent-runs or a path below it"],
  ["/", "Expected /v1/agent-runs or a path below it"],
  [
    "/v1/agent-runs/r/event",
    'Expected /v1/agent-runs or a path below it that GET /openapi.json lists, got "/v1/agent-runs/r/event".',
  ],
])("W3: the 404 of %s has the path of runs", async (path, detail) => {
  const runs = await openRuns();
  const handler = createHandler({ runs, authenticate: () => ADA });
  const response = await handler.fetch(new Request(`http://localhost${path}`));
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({
    code: "not_found",
    detail: expect.stringContaining(detail) as unknown,
  });
});

it("W3: an `onError` that throws does not cost the client its answer", async () => {
  const store = createMemoryStore();
  const runs = await openRuns({
    store: { ...store, read: () => Promise.reject(new Error("no")) },
  });
  const handler = createHandler({
    runs,
    authenticate: () => ADA,
    onError() {
      throw new Error("the log is full");
    },
  });
  const response = await handler.fetch(new Request("http://localhost/v1/agent-runs/r"));
  expect(response.status).toBe(500);
});

it("W3: a target in the absolute form is the same target", async () => {
  const handler = createNodeHandler({ runs: await openRuns(), authenticate: () => ADA });
  const { port } = await serve((request, response) => handler.handle(request, response));
  const socket = connect(port, "127.0.0.1");
  const target = `http://127.0.0.1:${port}/v1/agent-runs?limit=1`;
  socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
});

it("W12: an unfinished line is kept as it came, even if the transport reuses its buffer", () => {
  const cutter = createLineCutter(100, () => {});
  const buffer = Buffer.from("hello");
  expect([...cutter.push(buffer)]).toEqual([]);
  buffer.fill("X");
  expect(Buffer.from(cutter.rest()).toString()).toBe("hello");
});

it("W3: a response that the host has begun is cut, and the process goes on", async () => {
  const handler = createNodeHandler({ runs: await openRuns(), authenticate: () => ADA });
  const { port } = await serve((request, response) => {
    response.writeHead(200);
    response.write("mine");
    handler.handle(request, response);
  });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET /v1/agent-runs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  expect(await text(socket)).toContain("mine");
});

it("a response whose `write` throws ends its own stream alone, and `onError` gets the error", async () => {
  const broken = new Error("broken compressor");
  const runs = await openRuns();
  const reported: unknown[] = [];
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: "ada", credential: "session" }),
    onError: (error) => void reported.push(error),
  });
  const host = await serve((request, response) => {
    if (request.headers["x-broken"] !== undefined) {
      let writes = 0;
      response.write = (): boolean => {
        writes += 1;
        if (writes > 1) throw broken;
        return true;
      };
    }
    handler.handle(request, response);
  });
  const url = `${host.url}/v1/agent-runs/r/stream`;
  const failing = await fetch(url, { headers: { "x-broken": "1" } });
  const healthy = await fetch(url);
  await runs.as("ada").append("r", [{ eventType: "RUN_STARTED" }]);
  await runs.as("ada").append("r", [{ eventType: "RUN_COMPLETED" }]);
  expect(await healthy.text()).toContain('"type":"run_finished"');
  await expect(failing.text()).rejects.toThrow("terminated");
  expect(reported).toEqual([broken]);
});
