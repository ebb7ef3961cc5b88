import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { RunEvent } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { call, readLog } from "./api.ts";
import { type ServerProcess, startServer, TOKEN } from "./server-process.ts";
import { makeTempFolder } from "./temp-folder.ts";

const PROBLEM = "application/problem+json; charset=utf-8";
const RUN = "/v1/agent-runs/kept";
const EVENTS = `${RUN}/events`;
/** An event that nothing is wrong with. */
const NOTE = { eventType: "NOTE" };
const HEAD = [
  `POST ${EVENTS} HTTP/1.1`,
  "Host: localhost",
  `Authorization: Bearer ${TOKEN}`,
  "Content-Type: application/json",
  "",
].join("\r\n");
const NDJSON = { "content-type": "application/x-ndjson" };

/** A server with a run of three events. */
async function startWithRun(): Promise<ServerProcess> {
  const server = await startServer({
    storeUrl: `sqlite:${join(await makeTempFolder(), "run-events.db")}`,
  });
  await call(server.url, "POST", "/v1/agent-runs", { runId: "kept", metadata: { kept: true } });
  const events = [{ eventType: "RUN_STARTED" }, { ...NOTE, payload: "\u0000\r\n" }, NOTE];
  const key = { "idempotency-key": "first" };
  expect(await call(server.url, "POST", EVENTS, { events }, key)).toMatchObject({ status: 201 });
  return server;
}

/** Runs the work, which must leave the run and the list of runs unchanged. */
async function expectUnchanged(url: string, work: () => Promise<void>): Promise<void> {
  const snapshot = async (): Promise<unknown> => [
    await readLog(url, "kept"),
    await call(url, "GET", "/v1/agent-runs"),
  ];
  const before = await snapshot();
  await work();
  expect(await snapshot()).toEqual(before);
}

async function connectTo(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  return socket;
}

/** Sends bytes as they are, and reads the answer until the server closes. */
async function sendRaw(url: string, request: string): Promise<string> {
  const socket = await connectTo(url);
  socket.end(request, "latin1");
  return text(socket);
}

describe("bad input, on the reference server", () => {
  it("W3: bytes that are not HTTP get a problem too, and change nothing", async () => {
    const { url } = await startWithRun();
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
      ].map((header) => `${HEAD}${header}${length}\r\n${body}`),
      ...["/v1/agent-runs/ke pt/events", "/v1/agent-runs/ke\npt/events"].map((path) =>
        HEAD.replace(EVENTS, path).concat(length, "\r\n", body),
      ),
    ];
    await expectUnchanged(url, async () => {
      for (const request of requests) {
        const answer = await sendRaw(url, request);
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
      const { url } = await startWithRun();
      const good = JSON.stringify({ eventType: "GOOD" });
      const body = [good, good, line, good, ""].join("\n");
      expect(await call(url, "POST", EVENTS, body, NDJSON)).toMatchObject({
        status,
        type: PROBLEM,
        body: { code, line: 3, lastSequence: 5 },
      });
      const log = await readLog(url, "kept");
      expect(log.slice(3).map(({ eventType }: RunEvent) => eventType)).toEqual(["GOOD", "GOOD"]);
    },
  );

  it("W12: a connection that breaks leaves no half line behind", async () => {
    const { url } = await startWithRun();
    const socket = await connectTo(url);
    const head = HEAD.replace("application/json", NDJSON["content-type"]);
    const lines = '{"eventType":"GOOD"}\n{"eventType":"GOOD"}\n{"eventType":"HALF"}';
    const chunk = `${lines.length.toString(16)}\r\n${lines}\r\n`;
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
    await expect.poll(async () => (await readLog(url, "kept")).length, { timeout: 30_000 }).toBe(5);
    socket.destroy();
    // Nothing can follow the end, so a half line that arrived late is either before it or refused.
    expect(await call(url, "POST", `${RUN}/cancel`)).toMatchObject({ body: { lastSequence: 6 } });
    const types = (await readLog(url, "kept")).map(({ eventType }) => eventType);
    expect(types.slice(3)).toEqual(["GOOD", "GOOD", "RUN_CANCELLED"]);
  });
});
