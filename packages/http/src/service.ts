import { RunEventsError, type RunEvents, type RunLog } from "@tm/run-events-core";
import {
  createStreams,
  type StreamErrorCode,
  streamErrorCode,
  type Streams,
  type StreamsOptions,
  type StreamStats,
} from "@tm/run-events-core/wire";
import type { Exchange, Headers, Reply, StreamReply } from "./exchange.ts";
import type { Authenticate, Identity } from "./identity.ts";
import { corsHeaders, isForeignOrigin, isPreflight, preflightReply } from "./origin.ts";
import { parsePath } from "./paths.ts";
import { methodNotAllowed, problem, problemOf } from "./problem.ts";
import type { Route } from "./route.ts";
import { checkRunId, ROUTES } from "./routes.ts";
import { STREAM_HEADERS } from "./stream-headers.ts";
import { createWaits, type Waits } from "./waits.ts";

const MAX_BODY_BYTES = 4_194_304;

/** Settings of both doors. `Native` is the request that the host's framework has. */
export interface HandlerOptions<Native> extends StreamsOptions {
  readonly runs: RunEvents;
  readonly authenticate: Authenticate<Native>;
  /** Exact origins whose pages may call with the session cookie, such as `https://app.example`. Default none. @see W5, W19 */
  readonly allowedOrigins?: readonly string[];
  /** The most bytes of a body that is read whole, and of one NDJSON line. Default 4,194,304. @see W9 */
  readonly maxBodyBytes?: number;
  /**
   * For how long your upkeep keeps a run that has finished, in milliseconds: clients are told. Default `null`, for ever. It
   * removes nothing by itself.
   */
  readonly retentionMs?: number | null;
  /** Told of every error that is answered with a 5xx, or on a stream with a frame instead of one, for the host's log. */
  readonly onError?: (error: unknown) => void;
}

/** What a handler has open. */
export interface HandlerStats {
  readonly streams: StreamStats;
  /** Long-polls that are being held. */
  readonly waiting: number;
}

/** The wire over a log, whichever door a request comes through. */
export interface Service<Native> {
  readonly log: RunLog;
  readonly streams: Streams;
  readonly waits: Waits;
  readonly maxBodyBytes: number;
  /** What the answers with whole runs say of how long they are kept. @see W14 */
  readonly retention: Headers;
  /**
   * Answers any request. Never rejects.
   * @param native the host's own request, for `authenticate`
   */
  answer(exchange: Exchange, native: Native): Promise<Reply | StreamReply>;
  /** @see W27 */
  drain(windowMs: number): Promise<void>;
  stats(): HandlerStats;
}

/** Makes the service that both doors share. */
export function createService<Native>(options: HandlerOptions<Native>): Service<Native> {
  const {
    runs,
    authenticate,
    allowedOrigins = [],
    maxBodyBytes = MAX_BODY_BYTES,
    retentionMs = null,
    onError,
  } = options;
  const { log } = runs;
  const streams = createStreams(log, options);
  const waits = createWaits(log, options.maxStreamsPerUser);

  /** A live stream takes whoever knows the sessions for a store: worth a retry, now as at every later check. @see W26 */
  async function lookUp(native: Native): Promise<Identity | null> {
    try {
      return await authenticate(native, "session");
    } catch (cause) {
      throw new RunEventsError("store_unavailable", "The session cannot be checked.", { cause });
    }
  }

  async function identify(exchange: Exchange, native: Native, route: Route): Promise<Identity> {
    const identity = await (route.access === "session"
      ? lookUp(native)
      : authenticate(native, "any"));
    if (route.access === "session" && identity?.credential !== "session") {
      const other = identity ?? (await authenticate(native, "any"));
      if (other !== null)
        throw new RunEventsError(
          "session_required",
          "The live stream takes a session cookie only.",
        );
    }
    if (identity === null)
      throw new RunEventsError("unauthenticated", "There is no valid credential.");
    // An id that is none would ask for nobody's runs in particular, which is everybody's.
    if (typeof identity.userId !== "string" || identity.userId === "") {
      throw new TypeError("Expected `authenticate` to answer with a `userId`.");
    }
    const byCookie =
      identity.credential === "session" && (route.changes || route.access === "session");
    if (byCookie && isForeignOrigin(exchange.header, allowedOrigins)) {
      throw new RunEventsError(
        "cross_site_request",
        "The request comes from a page of another origin.",
      );
    }
    return identity;
  }

  async function route(exchange: Exchange, native: Native): Promise<Reply | StreamReply> {
    const path = parsePath(exchange.path);
    if (path === "malformed") throw new RunEventsError("invalid_request", "The path is malformed.");
    if (path === null) return problem(404, "not_found", "There is nothing at this path.", {});
    const methods: Readonly<Partial<Record<string, Route>>> = ROUTES[path.name];
    const found = methods[exchange.method === "HEAD" ? "GET" : exchange.method];
    if (isPreflight(exchange.method, exchange.header, allowedOrigins)) {
      return preflightReply(Object.keys(methods));
    }
    if (found === undefined) return methodNotAllowed(Object.keys(methods));
    const ownerId = found.access === "open" ? "" : (await identify(exchange, native, found)).userId;
    checkRunId(path.runId);
    const { runId } = path;
    // A stream keeps this as long as it lives, and with it what it refers to: not the exchange.
    const authorize = async (): Promise<StreamErrorCode | null> => {
      const identity = await authenticate(native, "session");
      const stands = identity?.credential === "session" && identity.userId === ownerId;
      return stands ? null : "unauthenticated";
    };
    return found.answer({ service, exchange, ownerId, runId, authorize });
  }

  /** An EventSource would take a 5xx for the end. @see W24 */
  function refuseStream({ method }: Exchange, error: unknown): Reply | StreamReply {
    const head = { status: 200, headers: STREAM_HEADERS } as const;
    return method === "HEAD"
      ? { ...head, body: null }
      : { ...head, stream: streams.refuse(streamErrorCode(error)) };
  }

  function tell(error: unknown): void {
    try {
      onError?.(error);
    } catch {
      // A host's log that fails must not cost the client its answer, and there is no one else to tell.
    }
  }

  const service: Service<Native> = {
    log,
    streams,
    waits,
    maxBodyBytes,
    retention: retentionMs === null ? {} : { "run-retention": `${Math.ceil(retentionMs / 1_000)}` },
    async answer(exchange, native) {
      let reply: Reply | StreamReply;
      try {
        reply = await route(exchange, native);
      } catch (error) {
        const answer = problemOf(error);
        const failed = answer.status >= 500;
        if (failed && !exchange.signal.aborted) tell(error);
        reply = failed && isStream(exchange) ? refuseStream(exchange, error) : answer;
      }
      if (allowedOrigins.length === 0) return reply;
      const headers = { ...reply.headers, ...corsHeaders(exchange.header, allowedOrigins) };
      return { ...reply, headers };
    },
    drain(windowMs) {
      waits.release();
      return streams.drain(windowMs);
    },
    stats: () => ({ streams: streams.stats(), waiting: waits.count() }),
  };
  return service;
}

function isStream({ path }: Exchange): boolean {
  const found = parsePath(path);
  return found !== null && found !== "malformed" && found.name === "stream";
}
