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
    // What node:http2 gives to those who know node:http.
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
