import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { RunEvent } from "@tm/run-events-core";
import { beforeAll, describe, expect, it } from "vitest";
import { ownedByAll } from "../../server/test/start-server.ts";
import { call, readLog } from "./api.ts";
import { startServer, TOKEN } from "./server-process.ts";

const PROBLEM = "application/problem+json; charset=utf-8";
/** An event that nothing is wrong with. */
const NOTE = { eventType: "NOTE" };
const NDJSON = { "content-type": "application/x-ndjson" };

const owner = ownedByAll();
let url = "";
beforeAll(async () => {
  ({ url } = await startServer({ storeUrl: "memory:", owner }));
});

/** A run of three events: its id, and the path of its events. */
async function makeRun(): Promise<{ readonly runId: string; readonly path: string }> {
  const runId = crypto.randomUUID();
  const path = `/v1/agent-runs/${runId}/events`;
  await call(url, "POST", "/v1/agent-runs", { runId, metadata: { kept: true } });
  const events = [{ eventType: "RUN_STARTED" }, { ...NOTE, payload: "\u0000\r\n" }, NOTE];
  expect(await call(url, "POST", path, { events })).toMatchObject({ status: 201 });
  return { runId, path };
}

/** The head of an append, to which more headers may be added. */
function headOf(path: string, type = "application/json"): string {
  return [
    `POST ${path} HTTP/1.1`,
    "Host: localhost",
    `Authorization: Bearer ${TOKEN}`,
    `Content-Type: ${type}`,
    "",
  ].join("\r\n");
}

/** Runs the work, which must leave the run and the list of runs unchanged. */
async function expectUnchanged(runId: string, work: () => Promise<void>): Promise<void> {
  const snapshot = async (): Promise<unknown> => [
    await readLog(url, runId),
    await call(url, "GET", "/v1/agent-runs"),
  ];
  const before = await snapshot();
  await work();
  expect(await snapshot()).toEqual(before);
}

async function connectToServer(): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  return socket;
}

/** Sends bytes as they are, and reads the answer until the server closes. */
async function sendRaw(request: string): Promise<string> {
  const socket = await connectToServer();
  socket.end(request, "latin1");
  return text(socket);
}

describe("bad input, on the reference server", () => {
  it("W3: bytes that are not HTTP get a problem too, and change nothing", async () => {
    const { runId, path } = await makeRun();
    const head = headOf(path);
    const body = JSON.stringify({ events: [NOTE] });
    const length = `Content-Length: ${body.length}\r\n`;
    const requests = [
      ...[
        "Idempotency-Key: a\rb\r\n",
        "Idempotency-Key: a\r\n b\r\n",
        "Idempotency-Key: a\nb\r\n",
        "Idempotency-Key: a\0b\r\n",
        "Idempotency Key: a\r\n",
        `Content-Length: ${body.length + 1}\r\n`,
        "Transfer-Encoding: chunked\r\n",
      ].map((header) => `${head}${header}${length}\r\n${body}`),
      ...["/v1/agent-runs/a b/events", "/v1/agent-runs/a\nb/events"].map(
        (bad) => `${headOf(bad)}${length}\r\n${body}`,
      ),
    ];
    await expectUnchanged(runId, async () => {
      for (const request of requests) {
        const answer = await sendRaw(request);
        expect.soft(answer, request).toMatch(/^HTTP\/1\.1 400 /);
        expect.soft(answer, request).toContain(`content-type: ${PROBLEM}`);
        expect.soft(answer, request).toContain('"code":"invalid_request"');
      }
    });
  });

  it.each([
    { line: '{"eventType":"NOTE"', status: 400, code: "invalid_request" },
    { line: '{"eventType":"note"}', status: 422, code: "invalid_event" },
    { line: '{"eventType":"NOTE","more":1}', status: 422, code: "invalid_event" },
    { line: "NOTE", status: 400, code: "invalid_request" },
  ])(
    "W12: the bad line $line is named, the lines before it stay, and no other is written",
    async ({ line, status, code }) => {
      const { runId, path } = await makeRun();
      const good = JSON.stringify({ eventType: "GOOD" });
      const body = [good, good, line, good, ""].join("\n");
      expect(await call(url, "POST", path, body, NDJSON)).toMatchObject({
        status,
        type: PROBLEM,
        body: { code, line: 3, lastSequence: 5 },
      });
      const log = await readLog(url, runId);
      expect(log.slice(3).map(({ eventType }: RunEvent) => eventType)).toEqual(["GOOD", "GOOD"]);
    },
  );

  it("W12: a connection that breaks leaves no half line behind", async () => {
    const { runId, path } = await makeRun();
    const socket = await connectToServer();
    const head = headOf(path, NDJSON["content-type"]);
    const lines = '{"eventType":"GOOD"}\n{"eventType":"GOOD"}\n{"eventType":"HALF"}';
    const chunk = `${lines.length.toString(16)}\r\n${lines}\r\n`;
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
    await expect.poll(async () => (await readLog(url, runId)).length, { timeout: 30_000 }).toBe(5);
    socket.destroy();
    // Nothing can follow the end, so a half line that arrived late is either before it or refused.
    expect(await call(url, "POST", `/v1/agent-runs/${runId}/cancel`)).toMatchObject({
      body: { lastSequence: 6 },
    });
    const types = (await readLog(url, runId)).map(({ eventType }) => eventType);
    expect(types.slice(3)).toEqual(["GOOD", "GOOD", "RUN_CANCELLED"]);
  });
});
