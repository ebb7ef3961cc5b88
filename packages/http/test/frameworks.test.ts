import { once } from "node:events";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { expect, it, onTestFinished } from "vitest";
import { createHandler, type Identity } from "../src/index.ts";
import { createNodeHandler, type NodeHandler } from "../src/node.ts";
import { eventually } from "./harness/eventually.ts";

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** What is used of Express, which brings no types. */
interface Express {
  (): RequestListener & { use(...middleware: readonly Middleware[]): void };
  json(): Middleware;
}

const require = createRequire(import.meta.url);
const express = require("express") as Express;
const ADA: Identity = { userId: "ada", credential: "session" };

/** Express with the run `r`, and a body parser before the handler. */
async function serveBehindParser(): Promise<{
  readonly handler: NodeHandler;
  readonly url: string;
}> {
  const runs = createRunEvents({ store: createMemoryStore() });
  const handler = createNodeHandler({ runs, authenticate: () => ADA });
  const app = express();
  app.use(express.json(), (request, response) => handler.handle(request, response));
  const server = createServer(app);
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await runs.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  await runs.create({ ownerId: "ada", runId: "r" });
  return { handler, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

it("W9: a body that a framework's parser has taken before is no body, which is 400 and no hang", async () => {
  const { url } = await serveBehindParser();
  for (const type of ["application/json", "application/x-ndjson"]) {
    const response = await fetch(`${url}/v1/agent-runs/r/events`, {
      method: "POST",
      headers: { "content-type": type },
      body:
        type === "application/json" ? '{"events":[{"eventType":"NOTE"}]}' : '{"eventType":"NOTE"}',
    });
    // Express leaves lines alone, so they arrive.
    expect([type, response.status]).toEqual([type, type === "application/json" ? 400 : 201]);
  }
});

it("W25: in Express a stream whose client goes is let go, though a parser has read the request", async () => {
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

it("W19, W25: in Hono HEAD opens no stream, and one whose body is cancelled is let go", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  const handler = createHandler({ runs, authenticate: () => ADA });
  const app = new Hono();
  app.all("/v1/*", (context) => handler.fetch(context.req.raw));
  await runs.create({ ownerId: "ada", runId: "r" });
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

it("W18: an answer of `fetch` says its length, so a compressor leaves a short one and its ETag alone", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  const handler = createHandler({ runs, authenticate: () => ADA });
  const app = new Hono();
  app.use(compress());
  app.all("/v1/*", (context) => handler.fetch(context.req.raw));
  await runs.create({ ownerId: "ada", runId: "r" });
  await runs.append("r", [{ eventType: "NOTE", payload: "\u00fc" }]);
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
  await runs.append("r", [{ eventType: "NOTE", payload: "x".repeat(2_000) }]);
  const long = await app.request(path, { headers });
  expect(long.headers.get("content-encoding")).toBe("gzip");
  const unchanged = await app.request(path, {
    headers: { ...headers, "if-none-match": long.headers.get("etag") ?? "" },
  });
  expect([unchanged.status, unchanged.headers.get("content-length")]).toEqual([304, null]);
});
