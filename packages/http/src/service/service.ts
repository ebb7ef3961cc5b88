import { RunEventsError } from "@tm/run-events-core";
import {
  checkRunId,
  type Clock,
  Streams,
  failFast,
  parseBasePath,
  reportOf,
  bounds,
} from "@tm/run-events-core/wire";
import type { Diagnostic } from "@tm/run-events-core/store";
import { type Host, identify, recheck } from "../access/access.ts";
import { corsHeaders, isPreflight, preflightReply } from "../access/origin.ts";
import { Waits } from "../bounds/waits.ts";
import {
  emptyReply,
  type Exchange,
  NO_SNIFF,
  type Reply,
  stopIfGone,
  STREAM_HEADERS,
  type StreamReply,
} from "../exchange/exchange.ts";
import { methodNotAllowed, problemOf } from "../exchange/problem.ts";
import { isChange } from "../contract/operation.ts";
import type { Call, Route, RouteContext } from "../routes/route.ts";
import { createRouter, type Found, type Router, routeOf } from "../routes/router.ts";
import { covers, openApiDocument, routesAt } from "../routes/table.ts";
import { checkOptions } from "./check-options.ts";
import { explainUnknown } from "./explain-unknown.ts";
import type { Drainable, HandlerOptions, HandlerStats, OwnMethods } from "./options.ts";
import { pack } from "./pack.ts";

const MAX_BODY_BYTES = 4_194_304;
const STALL_MS = 30_000;
/** The status of a request whose client has gone, for a host's log, as in nginx. No client sees it. */
const CLIENT_GONE = 499;

/** The methods that telemetry names, so that a client cannot make up names. */
const KNOWN_METHODS: ReadonlySet<string> = new Set(
  "CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE".split(" "),
);

/** A request on its way to its route, with the host's own request for `authenticate`. */
interface Incoming<Native> {
  readonly exchange: Exchange;
  readonly native: Native;
  readonly holding: bounds.Holding;
}

/** Answers requests from a log. Both handlers are built on it. */
export class Service<Native> implements Drainable {
  readonly clock: Clock;
  /** The time that a client may read nothing of an answer, in milliseconds. @see clause W49 in `WIRE.md` */
  readonly stallMs: number;
  readonly #context: RouteContext;
  readonly #find: Router;
  readonly #host: Host<Native>;
  readonly #inFlights: bounds.InFlights;
  readonly #turns = new bounds.Turns();
  readonly #onError: (error: unknown) => void;
  /** Errors that were already reported to the host, since a stall refuses many requests with the same error. */
  readonly #reported = new WeakSet();
  /** `null` if no telemetry listens. */
  readonly #telemetry: ((diagnostic: Diagnostic) => void) | null;

  /**
   * @throws TypeError for an option that is not valid
   */
  constructor(options: HandlerOptions<Native>) {
    checkOptions(options);
    const { runs, authenticate, allowedOrigins = [], onError = console.error } = options;
    const { log } = runs;
    this.clock = log.clock;
    this.stallMs = options.stallMs ?? STALL_MS;
    this.#onError = onError;
    this.#telemetry = reportOf(log);
    this.#host = { authenticate, allowedOrigins, onError: (error) => this.#report(error) };
    this.#inFlights = new bounds.InFlights({
      maxRequests: options.maxRequestsPerUser ?? bounds.IN_FLIGHT_LIMITS.maxRequests,
      maxBytes: options.maxBytesPerUser ?? bounds.IN_FLIGHT_LIMITS.maxBytes,
    });
    this.#context = createContext({ ...options, onError: this.#host.onError });
    this.#find = createRouter(routesAt(this.#context.basePath));
  }

  /** Opens the share of a new request, which holds nothing yet. The caller must call `leave`. @see clause W49 in `WIRE.md` */
  open(): bounds.Holding {
    return this.#inFlights.open();
  }

  /** Answers any request. Never rejects. */
  async answer(
    exchange: Exchange,
    native: Native,
    holding: bounds.Holding,
  ): Promise<Reply | StreamReply> {
    let found: Found | null = null;
    let route: Route | undefined;
    let reply: Reply | StreamReply;
    try {
      found = this.#findRoutes(exchange);
      route = routeOf(found, exchange.method);
      reply =
        route === undefined
          ? this.#answerOther(exchange, [...found.methods.keys()])
          : await this.#answerRoute(route, found, { exchange, native, holding });
    } catch (error) {
      reply = this.#answerError(route, exchange, error);
    }
    this.#reportRefusal(exchange.method, found, reply);
    return this.complete(exchange, reply);
  }

  /** Answers a request to a path of the host's own. Never rejects. */
  async answerOwn(
    exchange: Exchange,
    native: Native,
    holding: bounds.Holding,
    methods: OwnMethods<Native>,
  ): Promise<Reply | StreamReply> {
    const known = new Map(Object.entries(methods));
    const answer = known.get(exchange.method === "HEAD" ? "GET" : exchange.method);
    try {
      const reply =
        answer === undefined
          ? this.#answerOther(exchange, [...known.keys()])
          : await answer(native, (userId, work) => holding.enter(userId, work));
      return this.complete(exchange, reply);
    } catch (error) {
      return this.complete(exchange, this.#answerError(undefined, exchange, error));
    }
  }

  /** The answer with the headers that every answer has. @see clauses W3 and W19 in `WIRE.md` */
  complete<Answer extends Reply | StreamReply>({ header }: Exchange, reply: Answer): Answer {
    const cors = corsHeaders(header, this.#host.allowedOrigins);
    const headers = { ...NO_SNIFF, ...reply.headers, ...cors };
    const { vary } = reply.headers;
    if (vary !== undefined && cors["vary"] !== undefined)
      headers["vary"] = `${vary}, ${cors["vary"]}`;
    return { ...reply, headers };
  }

  /** @see clause W27 in `WIRE.md` */
  drain(windowMs: number): Promise<void> {
    this.#context.waits.release();
    return this.#context.streams.drain(windowMs);
  }

  stats(): HandlerStats {
    const { streams, waits } = this.#context;
    return {
      streams: streams.stats(),
      waiting: waits.count(),
      inFlight: this.#inFlights.total(),
    };
  }

  async #answerRoute(
    route: Route,
    { runId, code }: Pick<Found, "runId" | "code">,
    { exchange, native, holding }: Incoming<Native>,
  ): Promise<Reply | StreamReply> {
    const answer = async (ownerId: string): Promise<Reply | StreamReply> => {
      // An id that no run can have is 404, like any other unknown id. @see clause W4 in `WIRE.md`
      if (runId !== null) checkRunId(runId);
      // A read ends when its client has gone. A change does not: a client may send one without waiting for the answer.
      const goOn = (): void => {
        if (!isChange(route)) stopIfGone(exchange);
      };
      goOn();
      const call: Call = {
        context: this.#context,
        exchange,
        ownerId,
        runId: runId ?? "",
        code: code ?? "",
        holding,
        takeTurn: (size) => this.#turns.take(ownerId, size).then(goOn),
        authorize: recheck(this.#host, native, ownerId),
      };
      return pack(await route.answer(call), holding);
    };
    if (route.access === "open") return answer("");
    const { userId } = await identify(this.#host, exchange, native, route);
    return holding.enter(userId, () => answer(userId));
  }

  /** Answers a method that the path does not have, which may be a preflight for one that it has. */
  #answerOther({ method, header }: Exchange, methods: readonly string[]): Reply {
    return isPreflight(method, header, this.#host.allowedOrigins)
      ? preflightReply(methods)
      : methodNotAllowed(methods, method);
  }

  #answerError(route: Route | undefined, exchange: Exchange, error: unknown): Reply | StreamReply {
    if (exchange.isGone()) return emptyReply(CLIENT_GONE);
    const answer = problemOf(error);
    if (answer.status < 500) return answer;
    this.#report(error);
    return route?.access === "session" ? this.#refuseStream(exchange, error) : answer;
  }

  /** Answers 200 with an `error` frame: after a 5xx an EventSource does not come back. @see clause W24 in `WIRE.md` */
  #refuseStream({ method }: Exchange, error: unknown): Reply | StreamReply {
    const head = { status: 200, headers: STREAM_HEADERS } as const;
    return method === "HEAD"
      ? { ...head, body: null }
      : { ...head, stream: this.#context.streams.refuse(error) };
  }

  /**
   * Finds the routes of a path. The base path may have the part that the framework has cut off, or not. What is left of a path below the base
   * path is not one: a run would have two addresses.
   * @throws RunEventsError `not_found`, `invalid_request`
   * @see clause W50 in `WIRE.md`
   */
  #findRoutes({ wholePath, path }: Exchange): Found {
    const { basePath } = this.#context;
    const whole = this.#find(wholePath);
    if (whole !== null) return whole;
    const isBelow = covers(basePath, wholePath);
    const found = isBelow ? null : this.#find(path);
    if (found !== null) return found;
    throw new RunEventsError("not_found", explainUnknown(isBelow ? wholePath : path, basePath));
  }

  #reportRefusal(method: string, found: Found | null, reply: Reply | StreamReply): void {
    if (this.#telemetry === null || !("code" in reply)) return;
    const [route = null] = found?.methods.values() ?? [];
    this.#telemetry({
      type: "refusal",
      method: KNOWN_METHODS.has(method) ? method : "_OTHER",
      route: route?.path ?? null,
      status: reply.status,
      code: reply.code,
    });
  }

  #report(error: unknown): void {
    if (error instanceof RunEventsError) {
      if (this.#reported.has(error)) return;
      this.#reported.add(error);
    }
    try {
      this.#onError(error);
    } catch {
      // A host's log that fails must not cost the client its answer.
    }
  }
}

function createContext<Native>(options: HandlerOptions<Native>): RouteContext {
  const { runs, maxBodyBytes = MAX_BODY_BYTES, retentionMs = null } = options;
  const { log } = runs;
  const basePath = parseBasePath(options.basePath);
  let document: string | null = null;
  return {
    log: failFast(log),
    basePath,
    document: () => (document ??= JSON.stringify(openApiDocument({ basePath }))),
    streams: new Streams(log, options),
    waits: new Waits(options.maxStreamsPerUser),
    maxBodyBytes,
    retention: retentionMs === null ? {} : { "run-retention": `${Math.ceil(retentionMs / 1_000)}` },
  };
}
