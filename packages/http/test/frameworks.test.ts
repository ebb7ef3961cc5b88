import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { RunEvents } from "@tm/run-events-core";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { expect, it } from "vitest";
import { createHandler, type Identity } from "../src/index.ts";
import { createNodeHandler, type NodeHandler } from "../src/node.ts";
import { eventually } from "./harness/eventually.ts";
import { openRuns, serve } from "./harness/host.ts";

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

interface ParserOptions {
  readonly type?: string;
  readonly verify?: (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => void;
}

/** The parts of Express that the tests use. Express has no types. */
interface Express {
  (): RequestListener & { use(...middleware: readonly Middleware[]): void };
  json(options?: ParserOptions): Middleware;
  text(options?: ParserOptions): Middleware;
}

const require = createRequire(import.meta.url);
const express = require("express") as Express;
const ADA: Identity = { userId: "ada", credential: "session" };

/** Express with the run `r`, and a body parser before the handler. */
async function serveBehindParser(parser = express.json()): Promise<{
  readonly handler: NodeHandler;
  readonly runs: RunEvents;
  readonly url: string;
  readonly reported: readonly unknown[];
}> {
  const runs = await openRuns();
  const reported: unknown[] = [];
  const onError = (error: unknown): void => void reported.push(error);
  const handler = createNodeHandler({ runs, authenticate: () => ADA, onError });
  const app = express();
  app.use(parser, (request, response) => handler.handle(request, response));
  const { url } = await serve(app);
  return { handler, runs, url, reported };
}

function post(url: string, type: string, body: string): Promise<Response> {
  return fetch(url, { method: "POST", headers: { "content-type": type }, body });
}

it("W9: a request whose body a parser has read is refused, `onError` gets the cause, and no run of another id is created", async () => {
  const { runs, url, reported } = await serveBehindParser();
  const paths = ["/v1/agent-runs", "/v1/agent-runs/r/events", "/v1/agent-runs/r/claim"];
  for (const path of paths) {
    const response = await post(url + path, "application/json", '{"runId":"mine"}');
    expect([path, response.status]).toEqual([path, 500]);
    expect(await response.json()).toMatchObject({ code: "internal" });
  }
  expect(reported.map(String)).toEqual(
    Array(3).fill(expect.stringContaining("whose body a parser has read before this handler")),
  );
  expect((await runs.list({ ownerId: "ada" })).runs.map(({ runId }) => runId)).toEqual(["r"]);
  // Express leaves lines alone, so they arrive; and what has no body has lost none.
  const lines = await post(
    `${url}/v1/agent-runs/r/events`,
    "application/x-ndjson",
    '{"eventType":"NOTE"}',
  );
  const cancelled = await fetch(`${url}/v1/agent-runs/r/cancel`, { method: "POST" });
  expect([lines.status, cancelled.status, reported.length]).toEqual([201, 200, 3]);
});

it("W1, W9: bytes that a parser kept as `rawBody` are the body, token for token", async () => {
  const { runs, url } = await serveBehindParser(
    express.json({
      verify(request, _, bytes) {
        Object.assign(request, { rawBody: bytes });
      },
    }),
  );
  const created = await post(`${url}/v1/agent-runs`, "application/json", '{"runId":"mine"}');
  expect(await created.json()).toMatchObject({ runId: "mine" });
  const body = '{"events":[{"eventType":"NOTE","payload":[1e2,12345678901234567890]}]}';
  const appended = await post(`${url}/v1/agent-runs/mine/events`, "application/json", body);
  expect(appended.status).toBe(201);
  expect((await runs.log.readPage("mine", { ownerId: "ada" })).events[0]?.payload).toBe(
    "[1e2,12345678901234567890]",
  );
});

it("W9: lines that a parser kept as text are the lines of the upload", async () => {
  const { runs, url } = await serveBehindParser(
    express.text({
      type: "application/x-ndjson",
      verify(request, _, bytes) {
        Object.assign(request, { rawBody: bytes.toString("utf8") });
      },
    }),
  );
  const body = '{"eventType":"ONE"}\n{"eventType":"TWO"}\n';
  const response = await post(`${url}/v1/agent-runs/r/events`, "application/x-ndjson", body);
  expect(await response.json()).toMatchObject({ firstSequence: 1, lastSequence: 2 });
  expect((await runs.as("ada").read("r")).events).toHaveLength(2);
});

it("W9: on `fetch` a body that the host has read is refused, `onError` gets the cause, and a clone may be read", async () => {
  const runs = await openRuns();
  const reported: unknown[] = [];
  const onError = (error: unknown): void => void reported.push(error);
  const handler = createHandler({ runs, authenticate: () => ADA, onError });
  for (const type of ["application/json", "application/x-ndjson"]) {
    const init = { method: "POST", headers: { "content-type": type }, body: '{"eventType":"A"}' };
    const used = new Request("http://localhost/v1/agent-runs/r/events", init);
    await used.text();
    const locked = new Request("http://localhost/v1/agent-runs/r/events", init);
    const reader = locked.body?.getReader();
    for (const request of [used, locked]) expect((await handler.fetch(request)).status).toBe(500);
    reader?.releaseLock();
  }
  expect(reported.map(String)).toEqual(
    Array(4).fill(expect.stringContaining("was read before this handler")),
  );
  const whole = new Request("http://localhost/v1/agent-runs", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"runId":"mine"}',
  });
  await whole.clone().text();
  expect((await handler.fetch(whole)).status).toBe(201);
});

it("W25: in Express a stream whose client leaves is closed, even if a parser has read the request", async () => {
  const { handler, url } = await serveBehindParser();
  const left = new AbortController();
  const response = await fetch(`${url}/v1/agent-runs/r/stream`, {
    signal: left.signal,
  });
  const { value } = (await response.body?.getReader().read()) ?? {};
  expect(new TextDecoder().decode(value)).toContain('"type":"connected"');
  expect(handler.stats().streams.open).toBe(1);
  left.abort();
  await eventually(() => expect(handler.stats().streams.open).toBe(0));
});

it("W19, W25: in Hono HEAD opens no stream, and a stream whose body is cancelled is closed", async () => {
  const runs = await openRuns();
  const handler = createHandler({ runs, authenticate: () => ADA });
  const app = new Hono();
  app.all("/v1/*", (context) => handler.fetch(context.req.raw));
  const head = await app.request("/v1/agent-runs/r/stream", { method: "HEAD" });
  expect([head.status, head.headers.get("content-type")]).toEqual([
    200,
    "text/event-stream; charset=utf-8",
  ]);
  expect(handler.stats().streams.opened).toBe(0);
  const { body } = await app.request("/v1/agent-runs/r/stream");
  const reader = body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  expect(new TextDecoder().decode(value)).toContain('"type":"connected"');
  await reader?.cancel();
  expect(handler.stats().streams.open).toBe(0);
});

it("W18: an answer of `fetch` has a Content-Length, so a compressor leaves a short one and its ETag alone", async () => {
  const runs = await openRuns();
  const handler = createHandler({ runs, authenticate: () => ADA });
  const app = new Hono();
  app.use(compress());
  app.all("/v1/*", (context) => handler.fetch(context.req.raw));
  await runs.as("ada").append("r", [{ eventType: "NOTE", payload: "\u00fc" }]);
  const path = "/v1/agent-runs/r/events";
  const headers = { "accept-encoding": "gzip" };
  const answer = await app.request(path, { headers });
  const { length } = new Uint8Array(await answer.arrayBuffer());
  const head = await app.request(path, { method: "HEAD", headers });
  for (const { headers } of [answer, head]) {
    expect(headers.get("content-encoding")).toBe(null);
    expect(headers.get("content-length")).toBe(String(length));
    expect(headers.get("etag")).toMatch(/^"/);
  }
  await runs.as("ada").append("r", [{ eventType: "NOTE", payload: "x".repeat(2_000) }]);
  const long = await app.request(path, { headers });
  expect(long.headers.get("content-encoding")).toBe("gzip");
  const unchanged = await app.request(path, {
    headers: { ...headers, "if-none-match": long.headers.get("etag") ?? "" },
  });
  expect([unchanged.status, unchanged.headers.get("content-length")]).toEqual([304, null]);
});
