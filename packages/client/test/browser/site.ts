import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createNodeHandler, type NodeHandler } from "@tm/run-events-http/node";

/** Short, so that the end of a session is noticed soon. @see clause W26 in `WIRE.md` */
const HEARTBEAT_MS = 200;

/** A web site: pages, and the runs of `ada`, whose cookie is `session=ada`. */
export interface Site {
  readonly origin: string;
  readonly runs: RunEvents;
  /** Requests for a stream so far, as their `Last-Event-ID`, else `-`. */
  readonly streams: readonly string[];
  /** The valid cookies. */
  readonly sessions: Set<string>;
  /** Live streams now. */
  openStreams(): number;
  /** Breaks every connection. */
  cut(): void;
  /** Stops the site, and cuts all connections. */
  stop(): Promise<void>;
  /** Starts the site again at the same address, with the same runs. */
  start(): Promise<void>;
}

/** The options of a site. */
export interface SiteOptions {
  /** The script of every page; none by default. */
  readonly script?: string;
  /** Further scripts, by their paths, such as `/other.js`. */
  readonly scripts?: Readonly<Record<string, string>>;
  readonly allowedOrigins?: readonly string[];
  /** Handles a request before the handler does. */
  readonly before?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Starts a site on a free port. */
export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const { script = "", allowedOrigins = [], before } = options;
  const scripts = new Map(Object.entries({ ...options.scripts, "/script.js": script }));
  const runs = createRunEvents({ store: createMemoryStore() });
  const streams: string[] = [];
  const sessions = new Set(["session=ada"]);
  let port = 0;
  let server: Server;
  let handler: NodeHandler;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url?.startsWith("/v1/") !== true) {
      const code = scripts.get(request.url ?? "");
      response.writeHead(200, {
        "content-type": code === undefined ? "text/html" : "text/javascript",
      });
      response.end(code ?? PAGE);
      return;
    }
    if (request.url.includes("/stream")) {
      streams.push(String(request.headers["last-event-id"] ?? "-"));
    }
    before?.(request, response);
    handler.handle(request, response);
  }

  async function start(): Promise<void> {
    handler = createNodeHandler({
      runs,
      allowedOrigins,
      heartbeatMs: HEARTBEAT_MS,
      authenticate({ headers }) {
        const cookie = headers.cookie ?? "";
        return sessions.has(cookie) ? { userId: "ada", credential: "session" } : null;
      },
    });
    server = createServer(answer).listen(port, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  }

  await start();
  return {
    origin: `http://127.0.0.1:${port}`,
    runs,
    streams,
    sessions,
    openStreams: () => handler.stats().streams.open,
    cut: () => server.closeAllConnections(),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
    start,
  };
}

const PAGE = `<!doctype html><title>Runs</title><div id="root"></div><script type="module" src="/script.js"></script>`;
