import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { type Answer, call, readLog } from "./api.ts";
import { BAD_REQUESTS, EVENTS, NOTE, RUN } from "./bad-requests.ts";
import { startServer, TOKEN } from "./server-process.ts";
import { makeTempFolder } from "./temp-folder.ts";

const PROBLEM = "application/problem+json; charset=utf-8";

/** Sends bytes as they are, and reads the answer until the server closes. */
async function sendRaw(port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.end(request, "latin1");
  return text(socket);
}

it("W3: every bad request gets its problem, and changes nothing", async () => {
  const databasePath = join(await makeTempFolder(), "run-events.db");
  const { url, port } = await startServer({ databasePath });
  await call(url, "POST", "/v1/agent-runs", { runId: "kept", metadata: { kept: true } });
  const events = [{ eventType: "RUN_STARTED" }, { ...NOTE, payload: "\u0000\r\n" }, NOTE];
  await call(url, "POST", EVENTS, { events }, { "idempotency-key": "first" });
  const log = await readLog(url, "kept");
  const runs = await call(url, "GET", "/v1/agent-runs");

  for (const [status, code, requests] of REFUSED) {
    for (const { path, method = "POST", body, headers } of requests) {
      const answer = await call(url, method, path, body, headers);
      const sent = `${method} ${path} ${typeof body === "string" ? body.slice(0, 80) : JSON.stringify(body)?.slice(0, 80)}`;
      expect.soft(summaryOf(answer), sent).toEqual({
        status,
        type: "application/problem+json; charset=utf-8",
        body: { status, code },
      });
      expect.soft(JSON.stringify(answer.body), sent).not.toMatch(/sqlite|select|insert|\.ts:\d/i);
    }
  }

  const head = `POST ${EVENTS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
  const body = JSON.stringify({ events: [NOTE] });
  for (const bad of [
    "Idempotency-Key: a\rb\r\n",
    "Idempotency-Key: a\r\n b\r\n",
    "Idempotency-Key: a\0b\r\n",
    "Idempotency Key: a\r\n",
    `Content-Length: ${body.length + 1}\r\n`,
    "Transfer-Encoding: chunked\r\n",
  ]) {
    const answer = await sendRaw(
      port,
      `${head}${bad}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect
      .soft(answer, JSON.stringify(bad))
      .toMatch(/^HTTP\/1\.1 400 [^]*\r\n\r\n\{.*"code":"invalid_request"/);
  }
  for (const path of ["/v1/agent-runs/ke pt/events", "/v1/agent-runs/ke\npt/events", "\u00e9"]) {
    const raw = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    expect.soft(await sendRaw(port, raw), path).toMatch(/^HTTP\/1\.1 4\d\d [^]*"code":"/);
  }

  expect(await readLog(url, "kept")).toEqual(log);
  expect(await call(url, "GET", "/v1/agent-runs")).toEqual(runs);
});

function summaryOf({ status, type, body }: Answer): unknown {
  const problem = body as { readonly status?: number; readonly code?: string };
  return { status, type, body: { status: problem.status, code: problem.code } };
}
