import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { Server as NetServer } from "node:net";
import type { NodeHandler } from "@tm/run-events-http/node";
import { refuseMalformed } from "./client-error.ts";
import type { Metrics } from "./metrics.ts";
import { answerOwn, type OwnRoutes, pathOf } from "./routes.ts";

/** How long requests may take to end once the streams have, in milliseconds: an upload of lines need never end by itself. */
const LINGER_MS = 2_000;

/** How long a connection may take to send the headers of a request, in milliseconds. */
const HEADERS_MS = 60_000;

/** What answers the requests of a port. */
export interface HttpServerOptions {
  /** The host's own paths; the handler has all others. */
  readonly ownRoutes: OwnRoutes;
  readonly handler: NodeHandler;
  readonly metrics: Pick<Metrics, "countRequest" | "countDropped">;
  /** The most connections at once; one more is closed without an answer. */
  readonly maxConnections: number;
  readonly allowedOrigins: readonly string[];
  readonly onError: (error: unknown) => void;
}

/** A port that is being served, from the first connection to the last. */
export interface HttpServer {
  /** @throws the system's error if the port or the host cannot be had */
  listen(port: number, host: string): Promise<Server>;
  /**
   * Stops accepting, ends the streams spread over the window, and waits until every connection has gone. Those whose
   * requests have not ended soon after are cut.
   * @see W27
   */
  close(drainMs: number): Promise<void>;
}

/** Puts the host's paths and the handler behind node:http. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { ownRoutes, handler, metrics, maxConnections } = options;
  const answering = new Set<ServerResponse>();
  let closing = false;
  let drained = false;

  // A body of lines may take hours, so a request has no time limit; a body read whole has one of the handler's. The limit
  // of the headers is said outright: unsaid, it is that of the request.
  const limits = { requestTimeout: 0, headersTimeout: HEADERS_MS };
  const server = createServer(limits, (request, response) => {
    answering.add(response);
    response.once("close", () => {
      answering.delete(response);
      metrics.countRequest(response.statusCode);
      if (drained) server.closeIdleConnections();
    });
    if (closing) response.shouldKeepAlive = false;
    const methods = ownRoutes.get(pathOf(request.url ?? ""));
    if (methods === undefined) handler.handle(request, response);
    else void answerOwn(methods, request, response, options);
  });
  server.maxConnections = maxConnections;
  server.on("drop", () => metrics.countDropped());
  server.on("clientError", (error, socket) => {
    const busy = [...answering].some((response) => response.socket === socket);
    refuseMalformed(error, socket, busy);
  });

  return {
    async listen(port, host) {
      server.listen(port, host);
      await once(server, "listening");
      return server;
    },
    async close(drainMs) {
      closing = true;
      // Closes the port alone. An HTTP server's own `close` also cuts connections that are idle, or whose request is on its
      // way: until the drain is over those are answered, with an end to the connection.
      const closed = new Promise<void>((resolve) => {
        NetServer.prototype.close.call(server, () => resolve());
      });
      for (const response of answering) response.shouldKeepAlive = false;
      await handler.drain(drainMs);
      drained = true;
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), LINGER_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}
