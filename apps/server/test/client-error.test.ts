import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { refuseMalformed } from "../src/client-error.ts";
import { createHttpServer } from "../src/http-server.ts";

it("W3: a malformed request is answered and its socket closed, even if the client keeps its side open", async () => {
  const server = createServer({ allowHalfOpen: true });
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const accepted = once(server, "connection");
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).resume();
  onTestFinished(() => void client.destroy());
  const [socket] = (await accepted) as [Socket];
  const closed = once(socket, "close");
  refuseMalformed(new Error("not HTTP"), socket, false);
  await closed;
  expect(socket.destroyed).toBe(true);
});

it("a request has a time limit for its headers and none for its body, and a port has a limit of connections", async () => {
  const http = createHttpServer({
    ownRoutes: new Map(),
    handler: { handle() {}, drain: () => Promise.resolve() },
    metrics: { countRequest() {}, countDropped() {} },
    maxConnections: 7,
    allowedOrigins: [],
    onError() {},
  });
  const server = await http.listen(0, "127.0.0.1");
  expect(server.headersTimeout).toBe(60_000);
  expect(server.requestTimeout).toBe(0);
  expect(server.maxConnections).toBe(7);
  await http.close(0);
});
