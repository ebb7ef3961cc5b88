import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import type { NodeHandler } from "@tm/run-events-http/node";
import { refusalOfExpect, refusalOfMessage, refuseMalformed } from "./client-error.ts";
import type { Metrics } from "./metrics.ts";
import { type OwnRoutes, pathOf } from "./routes.ts";

/** The time that requests have to end after the streams, in milliseconds: an upload of lines may never end by itself. */
const LINGER_MS = 2_000;

/** The time limit for the headers of a request, in milliseconds. */
const HEADERS_MS = 60_000;

/** The dependencies of an HTTP server. */
export interface HttpServerOptions {
  /** The server's own paths; the handler has all others. */
  readonly ownRoutes: OwnRoutes;
  readonly handler: Pick<NodeHandler, "handle" | "answer" | "send" | "drain">;
  readonly metrics: Pick<Metrics, "countRequest" | "countDropped">;
  /** The most connections at once; one more is closed without an answer. */
  readonly maxConnections: number;
}

/** A port that is served, from the first connection to the last. */
export interface HttpServer {
  /**
   * Listens on the port.
   * @throws the system's error if the port or the host is not available
   */
  listen(port: number, host: string): Promise<Server>;
  /**
   * Stops accepting, ends the streams spread over the window, and waits until every connection has closed. Connections whose
   * requests have not ended 2 s after the window are cut.
   * @see clause W27 in `WIRE.md`
   */
  close(drainMs: number): Promise<void>;
}

/** Serves the server's own paths and the handler on node:http. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { ownRoutes, handler, metrics, maxConnections } = options;
  /** The last answer under way on each connection: those of pipelined requests end in their order. */
  const answering = new Map<Duplex, ServerResponse>();
  const malformed = new WeakSet<Duplex>();
  let closing = false;
  let drained = false;

  // A body of lines may take hours, so a request has no time limit; the handler limits the time of a JSON body. The limit of
  // the headers must be set: its default is the request's.
  const limits = { requestTimeout: 0, headersTimeout: HEADERS_MS };
  // Without `requireHostHeader: false` node:http would answer a request without `Host` itself.
  const server = createServer({ ...limits, requireHostHeader: false }, (request, response) => {
    answer(request, response, false);
  });
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response, true);
  });
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    begin(request, response);
    handler.send(request, response, refusalOfExpect());
  });

  function begin({ socket }: IncomingMessage, response: ServerResponse): void {
    answering.set(socket, response);
    response.once("close", () => {
      if (answering.get(socket) === response) answering.delete(socket);
      metrics.countRequest(response.statusCode);
      if (drained) server.closeIdleConnections();
    });
    if (closing) response.shouldKeepAlive = false;
  }

  function answer(
    request: IncomingMessage,
    response: ServerResponse,
    awaitsContinue: boolean,
  ): void {
    begin(request, response);
    const refused = refusalOfMessage(request);
    const methods = ownRoutes.get(pathOf(request.url ?? ""));
    if (refused !== null) handler.send(request, response, refused);
    else if (methods === undefined) handler.handle(request, response, awaitsContinue);
    else handler.answer(request, response, methods);
  }
  server.maxConnections = maxConnections;
  server.on("drop", () => metrics.countDropped());
  server.on("clientError", (error, socket) => {
    // The parser fails again at each byte that follows.
    if (!malformed.has(socket)) refuseMalformed(error, socket, answering.get(socket));
    malformed.add(socket);
  });

  return {
    async listen(port, host) {
      server.listen(port, host);
      await once(server, "listening").catch((cause: unknown) => {
        throw portFailure(cause, port, host);
      });
      return server;
    },
    async close(drainMs) {
      closing = true;
      // Closes the port only. `close` of an HTTP server also cuts connections that are idle, or whose request is on its way.
      // Until the drain is over those requests are answered, and the connection then ends.
      const closed = new Promise<void>((resolve) => {
        NetServer.prototype.close.call(server, () => resolve());
      });
      for (const response of answering.values()) response.shouldKeepAlive = false;
      await handler.drain(drainMs);
      drained = true;
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), LINGER_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Says what to do about a port that another program has. */
function portFailure(cause: unknown, port: number, host: string): unknown {
  if (!(cause instanceof Error) || !("code" in cause) || cause.code !== "EADDRINUSE") return cause;
  return new Error(
    `expected a free port, but another program has ${port} of ${host}: set PORT to another one, or to 0 for any`,
    { cause },
  );
}
