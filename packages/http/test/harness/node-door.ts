import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createNodeHandler, type HandlerOptions } from "../../src/node.ts";
import type { Accounts } from "./accounts.ts";
import { type Answer, type Call, createAnswer, methodOf } from "./answer.ts";
import { collect } from "./collect.ts";
import type { Door } from "./door.ts";
import { createLiveStream } from "./live-stream.ts";

type Options = Omit<HandlerOptions<IncomingMessage>, "authenticate">;

/** The door on a real port, asked by node's own client. */
export async function openNodeDoor(options: Options, accounts: Accounts): Promise<Door> {
  const handler = createNodeHandler({
    ...options,
    authenticate: ({ headers }, wanted) =>
      accounts.identify((name) => {
        const value = headers[name];
        return typeof value === "string" ? value : null;
      }, wanted),
  });
  const answering = new Set<ServerResponse>();
  const server = createServer((incoming, response) => {
    answering.add(response);
    response.once("close", () => answering.delete(response));
    handler.handle(incoming, response);
  });
  const clientErrors: Error[] = [];
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => sockets.push(socket));
  server.on("clientError", (error, socket) => {
    clientErrors.push(error);
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });

  return {
    port,
    drain: handler.drain,
    stats: handler.stats,
    inFlight: () =>
      [...answering].map(({ writableLength, socket }) =>
        Math.max(writableLength, socket?.writableLength ?? 0),
      ),
    clientErrors: () => clientErrors,
    read: () => sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    connections: () => promisify(server.getConnections.bind(server))(),
    async send(call): Promise<Answer> {
      const response = await ask(port, agent, call);
      const chunks = await collect(response as AsyncIterable<Buffer>);
      const text = Buffer.concat(chunks).toString("utf8");
      return createAnswer(response.statusCode ?? 0, headersOf(response), text);
    },
    async follow(call) {
      const response = await ask(port, agent, call);
      // Leaving shows as an error of the answer: its reader has gone by then.
      response.on("error", () => {});
      const answer = { status: response.statusCode ?? 0, headers: headersOf(response) };
      return createLiveStream(answer, response as AsyncIterable<Buffer>, () => response.destroy());
    },
    async close() {
      agent.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Sends a request; resolves with its answer's head. */
function ask(port: number, agent: Agent, call: Call): Promise<IncomingMessage> {
  const { path, headers = {}, body, signal } = call;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      agent,
      method: methodOf(call),
      path,
      headers,
      ...(signal === undefined ? {} : { signal }),
    });
    // Without, this client sends the body of a DELETE with no word of its length.
    if (body !== undefined) outgoing.useChunkedEncodingByDefault = true;
    outgoing.once("response", resolve);
    // An answer may come before the body has gone out; what then becomes of the body is of no interest.
    outgoing.on("error", reject);
    if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
      outgoing.end(body);
    } else {
      pipeline(Readable.from(body), outgoing).catch(reject);
    }
  });
}

function headersOf(response: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
  );
}
