import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { createHandler, type Identity } from "../src/index.ts";
import { createLineCutter } from "../src/ndjson.ts";
import { createNodeHandler } from "../src/node.ts";

const ADA: Identity = { userId: "ada", credential: "bearer" };

it("W4: an `authenticate` that answers without a user sees nobody's runs", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  await runs.create({ ownerId: "ada", runId: "r" });
  const nobody = { userId: undefined, credential: "bearer" } as unknown as Identity;
  const handler = createHandler({ runs, authenticate: () => nobody });
  const response = await handler.fetch(new Request("http://localhost/v1/agent-runs/r"));
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("ada");
});

it("W3: a host's log that fails costs no answer", async () => {
  const store = createMemoryStore();
  const runs = createRunEvents({
    store: { ...store, getRun: () => Promise.reject(new Error("no")) },
  });
  onTestFinished(() => runs.close());
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
  const runs = createRunEvents({ store: createMemoryStore() });
  const handler = createNodeHandler({ runs, authenticate: () => ADA });
  const server = createServer((request, response) => handler.handle(request, response));
  onTestFinished(async () => {
    server.close();
    await runs.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  const target = `http://127.0.0.1:${port}/v1/agent-runs?limit=1`;
  socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
});

it("W12: a line that has not ended is kept as it came, whatever the transport does with its buffer", () => {
  const cutter = createLineCutter(100);
  const buffer = Buffer.from("hello");
  expect([...cutter.push(buffer)]).toEqual([]);
  buffer.fill("X");
  expect(Buffer.from(cutter.rest()).toString()).toBe("hello");
});

it("W3: a response that the host has begun itself is cut, and the process goes on", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  const handler = createNodeHandler({ runs, authenticate: () => ADA });
  const server = createServer((request, response) => {
    response.writeHead(200);
    response.write("mine");
    handler.handle(request, response);
  });
  onTestFinished(async () => {
    server.close();
    await runs.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  socket.write("GET /v1/agent-runs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  expect(await text(socket)).toContain("mine");
});
