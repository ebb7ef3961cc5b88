import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { ResponseSink } from "../src/node/sink.ts";

interface Connection {
  /** The client's end. */
  readonly socket: Socket;
  /** The server's, with its headers sent. */
  readonly response: ServerResponse;
  /** The server's errors. */
  readonly failures: readonly Error[];
}

const SLICE = new TextEncoder().encode("data: 1\n\n");

async function openConnection(): Promise<Connection> {
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
  const response = await answering.promise;
  // As the handler does: what comes too late is dropped.
  response.on("error", () => {});
  response.flushHeaders();
  return { socket, response, failures };
}

it("W25: a slice for a connection that the server has begun to end does not cause an error", async () => {
  const { socket, response, failures } = await openConnection();
  socket.resume();
  const closed = once(response, "close");
  // As node:http does when the client has closed its sending side.
  response.socket?.end();
  new ResponseSink(response, { drained() {} }).write(SLICE);
  await once(socket, "end");
  socket.end();
  await closed;
  expect(failures).toEqual([]);
});

it.each(["at once", "when the end has gone out"])(
  "a slice for a response that its host has ended is not sent on the connection, %s",
  async (when) => {
    const { socket, response } = await openConnection();
    const answer = text(socket);
    const sink = new ResponseSink(response, { drained() {} });
    sink.write(SLICE);
    const { socket: connection } = response;
    response.end();
    if (when !== "at once") await once(response, "finish");
    sink.write(SLICE);
    connection?.end();
    expect((await answer).split("\r\n\r\n").slice(1)).toEqual(["9\r\ndata: 1\n\n\r\n0", ""]);
  },
);
