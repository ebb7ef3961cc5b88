import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { createNodeHandler } from "../src/node.ts";

/** Serves one user's session over HTTP/2, as Fastify's `http2` does. */
async function startHttp2(): Promise<string> {
  const runs = createRunEvents({ store: createMemoryStore() });
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: "ada", credential: "session" }),
  });
  const server = createServer((request, response) =>
    // The API of node:http2 that is compatible with node:http.
    handler.handle(
      request as unknown as IncomingMessage,
      response as unknown as ServerResponse<IncomingMessage>,
    ),
  );
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("W5: over HTTP/2 too a page of the same origin may change by session, and one of another may not", async () => {
  const url = await startHttp2();
  const session = connect(url);
  onTestFinished(() => session.destroy());
  for (const [origin, status] of [
    [url, 201],
    ["https://evil.example", 403],
  ] as const) {
    const stream = session.request({ ":method": "POST", ":path": "/v1/agent-runs", origin });
    stream.end().resume();
    const [headers] = (await once(stream, "response")) as [{ readonly ":status": number }];
    expect([origin, headers[":status"]]).toEqual([origin, status]);
  }
});

it("W5: over HTTP/2 :authority is the host, and a different Host does not count", async () => {
  const url = await startHttp2();
  const session = connect(url);
  onTestFinished(() => session.destroy());
  for (const [headers, status] of [
    [{ origin: "https://evil.example" }, 403],
    [{ origin: url }, 201],
  ] as const) {
    const own = { ":method": "POST", ":path": "/v1/agent-runs", ":authority": new URL(url).host };
    const stream = session.request({ ...own, host: "evil.example", ...headers });
    stream.end().resume();
    const [answer] = (await once(stream, "response")) as [{ readonly ":status": number }];
    expect([headers, answer[":status"]]).toEqual([headers, status]);
  }
});

it("W49: over HTTP/2 the rest of a refused body, which has no Content-Length, does not cost the connection", async () => {
  const session = connect(await startHttp2());
  onTestFinished(() => session.destroy());
  const headers = { ":method": "POST", ":path": "/v1/agent-runs/none/events" };
  const refused = session.request({ ...headers, origin: "https://evil.example" });
  refused.on("error", () => {});
  refused.resume();
  refused.write(Buffer.alloc(8_000_000));
  const [answer] = (await once(refused, "response")) as [{ readonly ":status": number }];
  expect(answer[":status"]).toBe(403);
  const other = session.request({ ":path": "/openapi.json" });
  const [next] = (await once(other, "response")) as [{ readonly ":status": number }];
  other.end().resume();
  expect(next[":status"]).toBe(200);
});
