import { RunEventsError, type RunEvents } from "@tm/run-events-core";
import {
  type RunLog,
  createStreams,
  describeValue,
  type StreamErrorCode,
  streamErrorCode,
  type Streams,
  type StreamsOptions,
  type StreamStats,
} from "@tm/run-events-core/wire";
import { checkOptions } from "./check-options.ts";
import {
  emptyReply,
  type Exchange,
  type Headers,
  type Reply,
  stopIfGone,
  type StreamReply,
} from "./exchange.ts";
import { type Authenticate, checkIdentity, type Identity } from "./identity.ts";
import { createInFlights, type Holding, type InFlight } from "./in-flight.ts";
import { corsHeaders, isForeignOrigin, isPreflight, preflightReply } from "./origin.ts";
import { parsePath, ROOT_PATH } from "./paths.ts";
import { createPlaces, type Places } from "./places.ts";
import { methodNotAllowed, problem, problemOf } from "./problem.ts";
import type { Call, Route } from "./route.ts";
import { createRefusals } from "./refusals.ts";
import { checkRunId, ROUTES } from "./routes.ts";
import { STREAM_HEADERS } from "./stream-headers.ts";
import { createTurns, type WorkSize } from "./turns.ts";
import { createWaits, type Waits } from "./waits.ts";

const MAX_BODY_BYTES = 4_194_304;
const STALL_MS = 30_000;
const MAX_REQUESTS = 1_024;
const MAX_UPLOADS = 128;
/** Eight bodies, or pages, of the greatest size. */
const MAX_BYTES = 33_554_432;
/**
 * An answer of at most this many characters is not a page or a list. It is never refused for its size, since it may report a
 * change.
 */
export const SHORT_ANSWER = 65_536;
/** How many first slices of pages are read for one user at a time. More wait where they can be dropped, not in the log's queue. */
const LOOKS = 32;
/** What a host's log shows for a request whose client did not wait for the answer, as nginx does. No client sees this status. */
const CLIENT_GONE = 499;
const encoder = new TextEncoder();

/** Settings of both doors. `Native` is the request that the host's framework has. */
export interface HandlerOptions<Native> extends StreamsOptions {
  readonly runs: RunEvents;
  readonly authenticate: Authenticate<Native>;
  /** Exact origins whose pages may call with the session cookie, such as `https://app.example`. Default none. @see W5, W19 */
  readonly allowedOrigins?: readonly string[];
  /** The most bytes of a body that is read whole, and of one NDJSON line. Default 4,194,304. @see W9 */
  readonly maxBodyBytes?: number;
  /**
   * The most requests of one user in flight, from when the user is known until the client has read the answer. Live streams do
   * not count. Default 1,024. @see W49
   */
  readonly maxRequestsPerUser?: number;
  /** The most NDJSON uploads of one user at a time. Default 128. @see W49 */
  readonly maxUploadsPerUser?: number;
  /**
   * The most bytes of one user's bodies that are being received or appended; the same bound again for answers that the client has
   * not read. At least 1; less than two pages, 8,388,608, means one large page at a time. Default 33,554,432. @see W49
   */
  readonly maxBytesPerUser?: number;
  /**
   * For how long your upkeep keeps a run that has finished, in milliseconds: clients are told. Default `null`, for ever. It
   * removes nothing by itself.
   */
  readonly retentionMs?: number | null;
  /**
   * Called with every error that is answered with a 5xx, or on a stream with a frame instead of one, for the host's log. Default
   * `console.error`.
   */
  readonly onError?: (error: unknown) => void;
}

/** What a handler has open. */
export interface HandlerStats {
  readonly streams: StreamStats;
  /** Long-polls that are being held. */
  readonly waiting: number;
  /** What all users have in flight. @see W49 */
  readonly inFlight: InFlight;
}

/** The wire over a log, whichever door a request comes through. */
export interface Service<Native> {
  readonly log: RunLog;
  readonly streams: Streams;
  readonly waits: Waits;
  readonly maxBodyBytes: number;
  /** What the answers with whole runs say of how long they are kept. @see W14 */
  readonly retention: Headers;
  /** How long a client may read nothing of an answer, in milliseconds. @see W49 */
  readonly stallMs: number;
  /** The share of a new request: nothing yet. The caller must call `leave`. @see W49 */
  open(): Holding;
  /**
   * Answers any request. Never rejects.
   * @param native the host's own request, for `authenticate`
   */
  answer(exchange: Exchange, native: Native, holding: Holding): Promise<Reply | StreamReply>;
  /** @see W27 */
  drain(windowMs: number): Promise<void>;
  stats(): HandlerStats;
}

/** Makes the service that both doors share. @throws TypeError without `runs` or `authenticate` */
export function createService<Native>(options: HandlerOptions<Native>): Service<Native> {
  checkOptions(options);
  const {
    runs,
    authenticate,
    allowedOrigins = [],
    maxBodyBytes = MAX_BODY_BYTES,
    retentionMs = null,
    stallMs = STALL_MS,
    onError = console.error,
  } = options;
  const { log } = runs;
  const streams = createStreams(log, options);
  const waits = createWaits(log, options.maxStreamsPerUser);
  const turns = createTurns();
  const refusals = createRefusals(log.clock);
  const looks = createPlaces(LOOKS);
  const alone = createPlaces(1);
  const inFlights = createInFlights({
    maxRequests: options.maxRequestsPerUser ?? MAX_REQUESTS,
    maxUploads: options.maxUploadsPerUser ?? MAX_UPLOADS,
    maxBytes: options.maxBytesPerUser ?? MAX_BYTES,
  });

  /** On a live stream a failure of the host's sessions counts as one of the store: `retryable`, now and at later checks. @see W26 */
  async function lookUp(native: Native): Promise<unknown> {
    try {
      return await authenticate(native, "session");
    } catch (cause) {
      throw new RunEventsError("store_unavailable", "The session cannot be checked.", { cause });
    }
  }

  async function identify(exchange: Exchange, native: Native, route: Route): Promise<Identity> {
    const isStream = route.access === "session";
    const identity = checkIdentity(await (isStream ? lookUp(native) : authenticate(native, "any")));
    if (isStream && identity?.credential !== "session") {
      const other = identity ?? checkIdentity(await authenticate(native, "any"));
      if (other !== null)
        throw new RunEventsError(
          "session_required",
          "The live stream takes a session cookie only.",
        );
    }
    if (identity === null)
      throw new RunEventsError("unauthenticated", "There is no valid credential.");
    const byCookie = identity.credential === "session" && (route.changes || isStream);
    if (byCookie && isForeignOrigin(exchange.header, allowedOrigins)) {
      throw new RunEventsError(
        "cross_site_request",
        "The request comes from a page of another origin.",
      );
    }
    return identity;
  }

  async function route(
    exchange: Exchange,
    native: Native,
    holding: Holding,
  ): Promise<Reply | StreamReply> {
    const path = parsePath(exchange.path);
    if (path === "malformed") throw new RunEventsError("invalid_request", "The path is malformed.");
    if (path === null) return problem(404, "not_found", explainUnknown(exchange.path), {});
    const methods: Readonly<Partial<Record<string, Route>>> = ROUTES[path.name];
    const found = methods[exchange.method === "HEAD" ? "GET" : exchange.method];
    if (isPreflight(exchange.method, exchange.header, allowedOrigins)) {
      return preflightReply(Object.keys(methods));
    }
    if (found === undefined) return methodNotAllowed(Object.keys(methods));
    const ownerId = found.access === "open" ? "" : (await identify(exchange, native, found)).userId;
    const { runId } = path;
    try {
      return pack(await answerOwner(found, { exchange, native, holding, ownerId, runId }), holding);
    } catch (error) {
      holding.holdBody(0);
      holding.holdAnswer(0);
      if (error instanceof RunEventsError && error.code === "too_many_requests")
        await refusals.wait(ownerId, () => exchange.isGone());
      throw error;
    }
  }

  /** @param ownerId empty for what anybody may ask */
  async function answerOwner(
    found: Route,
    {
      exchange,
      native,
      holding,
      ownerId,
      runId,
    }: Pick<Call, "exchange" | "holding" | "ownerId" | "runId"> & { readonly native: Native },
  ): Promise<Reply | StreamReply> {
    if (found.access !== "open") holding.enter(ownerId);
    checkRunId(runId);
    // A stream keeps this as long as it lives, and with it what it refers to: not the exchange.
    const authorize = async (): Promise<StreamErrorCode | null> => {
      const answer: unknown = await authenticate(native, "session");
      try {
        const identity = checkIdentity(answer);
        const stands = identity?.credential === "session" && identity.userId === ownerId;
        return stands ? null : "unauthenticated";
      } catch (error) {
        tell(error);
        return "unauthenticated";
      }
    };
    const isOver = (): boolean => !found.changes && exchange.isGone();
    const goOn = (): void => {
      if (!found.changes) stopIfGone(exchange);
    };
    goOn();
    const takeTurn = async (size: WorkSize): Promise<void> => {
      await turns.take(ownerId, size, isOver);
      goOn();
    };
    if (found.takesTurn !== undefined) await takeTurn(found.takesTurn);
    const goShort: Call["goShort"] = (work) => turns.goShort(ownerId, work);
    const inPlace =
      (places: Places): Call["goAlone"] =>
      (work) =>
        places.run(ownerId, () => {
          goOn();
          return work();
        });
    return found.answer({
      service,
      exchange,
      ownerId,
      runId,
      authorize,
      holding,
      takeTurn,
      goShort,
      look: inPlace(looks),
      goAlone: inPlace(alone),
    });
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
      onError(error);
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
    stallMs,
    open: () => inFlights.open(),
    async answer(exchange, native, holding) {
      let reply: Reply | StreamReply;
      try {
        reply = await route(exchange, native, holding);
      } catch (error) {
        if (exchange.isGone()) return emptyReply(CLIENT_GONE);
        const answer = problemOf(error);
        const failed = answer.status >= 500;
        if (failed) tell(error);
        reply = failed && isStream(exchange) ? refuseStream(exchange, error) : answer;
      }
      if (allowedOrigins.length === 0) return reply;
      const headers = { ...reply.headers, ...corsHeaders(exchange.header, allowedOrigins) };
      return { ...reply, headers };
    },
    drain(windowMs) {
      waits.release();
      refusals.release();
      return streams.drain(windowMs);
    },
    stats: () => ({
      streams: streams.stats(),
      waiting: waits.count(),
      inFlight: inFlights.total(),
    }),
  };
  return service;
}

/**
 * Prepares an answer: the request's body no longer counts. A long text becomes bytes, which do.
 * @throws RunEventsError `too_many_requests` if these bytes exceed the bound
 */
function pack(reply: Reply | StreamReply, holding: Holding): Reply | StreamReply {
  holding.holdBody(0);
  if ("stream" in reply || reply.body === null) return reply;
  if (typeof reply.body !== "string") {
    holding.holdAnswer(reply.body.length);
    return reply;
  }
  if (reply.body.length <= SHORT_ANSWER) {
    holding.holdAnswer(0);
    return reply;
  }
  const body = encoder.encode(reply.body);
  holding.holdAnswer(body.length);
  return { ...reply, body };
}

/** Tells a host that mounted the handler under a prefix why nothing is found. */
function explainUnknown(path: string): string {
  return path.indexOf(ROOT_PATH) > 0
    ? `There is nothing at this path: something is in front of ${ROOT_PATH}. Mount the handler so that the prefix is cut off.`
    : `There is nothing at ${describeValue(path)}. Runs are at ${ROOT_PATH}. If the client asked for that, the framework in front has cut the path. Mount the handler at the root.`;
}

function isStream({ path }: Exchange): boolean {
  const found = parsePath(path);
  return found !== null && found !== "malformed" && found.name === "stream";
}
