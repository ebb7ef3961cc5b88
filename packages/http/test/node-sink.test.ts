import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { createSink } from "../src/node-sink.ts";

it("W25: a slice for a connection that the server has begun to end is no error of the connection", async () => {
  const failures: Error[] = [];
  const answering = Promise.withResolvers<ServerResponse>();
  const server = createServer((_, response) => answering.resolve(response));
  server.on("clientError", (error) => failures.push(error));
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.resume();
  const response = await answering.promise;
  response.flushHeaders();
  const closed = once(response, "close");
  // As node:http does when the client has said its last word.
  response.socket?.end();
  createSink(response, { drained() {} }).write(new TextEncoder().encode("data: 1\n\n"));
  await once(socket, "end");
  socket.end();
  await closed;
  expect(failures).toEqual([]);
});
