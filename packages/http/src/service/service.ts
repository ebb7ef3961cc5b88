import { RunEventsError } from "@tm/run-events-core";
import {
  checkRunId,
  type Clock,
  createStreams,
  failFast,
  parseBasePath,
  reportOf,
  bounds,
} from "@tm/run-events-core/wire";
import type { Diagnostic } from "@tm/run-events-core/store";
import { Access } from "../access/access.ts";
import { corsHeaders, isPreflight, preflightReply } from "../access/origin.ts";
import { createWaits } from "../bounds/waits.ts";
import {
  emptyReply,
  type Exchange,
  type Reply,
  stopIfGone,
  STREAM_HEADERS,
  type StreamReply,
} from "../exchange/exchange.ts";
import { methodNotAllowed, problem, problemOf } from "../exchange/problem.ts";
import { isChange } from "../contract/operation.ts";
import type { Call, Route, RouteContext } from "../routes/route.ts";
import { createRouter, type Found, type Router, routeOf } from "../routes/router.ts";
import { covers, openApiDocument, routesAt } from "../routes/table.ts";
import { checkOptions } from "./check-options.ts";
import { explainUnknown } from "./explain-unknown.ts";
import type { HandlerOptions, HandlerStats } from "./options.ts";
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
export class Service<Native> {
  readonly clock: Clock;
  /** How long a client may read nothing of an answer, in milliseconds. @see clause W49 in `WIRE.md` */
  readonly stallMs: number;
  readonly #context: RouteContext;
  readonly #find: Router;
  readonly #access: Access<Native>;
  readonly #allowedOrigins: readonly string[];
  readonly #inFlights: bounds.InFlights;
  readonly #turns = bounds.createTurns();
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
    this.#allowedOrigins = allowedOrigins;
    this.#access = new Access({
      authenticate,
      allowedOrigins,
      onError: (error) => this.#report(error),
    });
    this.#inFlights = bounds.createInFlights({
      maxRequests: options.maxRequestsPerUser ?? bounds.IN_FLIGHT_LIMITS.maxRequests,
      maxBytes: options.maxBytesPerUser ?? bounds.IN_FLIGHT_LIMITS.maxBytes,
    });
    this.#context = createContext({ ...options, onError: (error) => this.#report(error) });
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
    const reply = await this.#answerPath({ exchange, native, holding });
    if (this.#telemetry !== null) this.#reportRefusal(this.#telemetry, exchange, reply);
    if (this.#allowedOrigins.length === 0) return reply;
    const headers = { ...reply.headers, ...corsHeaders(exchange.header, this.#allowedOrigins) };
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

  async #answerPath(request: Incoming<Native>): Promise<Reply | StreamReply> {
    const { method, header } = request.exchange;
    const { basePath } = this.#context;
    const found = this.#findRoutes(request.exchange);
    if (found === "malformed")
      return problemOf(
        new RunEventsError(
          "invalid_request",
          "Expected each % in the path to begin a valid escape, such as %20, got another one.",
        ),
      );
    if (found === null)
      return problem(
        404,
        "not_found",
        explainUnknown(this.#pathOf(request.exchange), basePath),
        {},
      );
    if (isPreflight(method, header, this.#allowedOrigins))
      return preflightReply([...found.methods.keys()]);
    const route = routeOf(found, method);
    if (route === undefined) return methodNotAllowed([...found.methods.keys()], method);
    try {
      return await this.#answerRoute(route, found, request);
    } catch (error) {
      return this.#answerError(route, request.exchange, error);
    }
  }

  async #answerRoute(
    route: Route,
    { runId, code }: Pick<Found, "runId" | "code">,
    { exchange, native, holding }: Incoming<Native>,
  ): Promise<Reply | StreamReply> {
    const { access } = route;
    const changes = isChange(route);
    const answer = async (ownerId: string): Promise<Reply | StreamReply> => {
      // An id that no run can have is 404, like any other unknown id. @see clause W4 in `WIRE.md`
      if (runId !== null) checkRunId(runId);
      // A read ends when its client has gone. A change does not: a client may send one without waiting for the answer.
      const goOn = (): void => {
        if (!changes) stopIfGone(exchange);
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
        authorize: this.#access.recheck(native, ownerId),
      };
      return pack(await route.answer(call), holding);
    };
    if (access === "open") return answer("");
    const { userId } = await this.#access.identify(exchange, native, { access, changes });
    return holding.enter(userId, () => answer(userId));
  }

  #answerError({ access }: Route, exchange: Exchange, error: unknown): Reply | StreamReply {
    if (exchange.isGone()) return emptyReply(CLIENT_GONE);
    const answer = problemOf(error);
    if (answer.status < 500) return answer;
    this.#report(error);
    return access === "session" ? this.#refuseStream(exchange, error) : answer;
  }

  /** Answers 200 with an `error` frame: after a 5xx an EventSource does not come back. @see clause W24 in `WIRE.md` */
  #refuseStream({ method }: Exchange, error: unknown): Reply | StreamReply {
    const head = { status: 200, headers: STREAM_HEADERS } as const;
    return method === "HEAD"
      ? { ...head, body: null }
      : { ...head, stream: this.#context.streams.refuse(error) };
  }

  /** The base path may have the part that the framework has cut off, or not. @see clause W50 in `WIRE.md` */
  #findRoutes(exchange: Exchange): ReturnType<Router> {
    return this.#find(exchange.wholePath) ?? this.#find(this.#pathOf(exchange));
  }

  /** What is left of a path below the base path is not one: a run would have two addresses. */
  #pathOf({ wholePath, path }: Exchange): string {
    return covers(this.#context.basePath, wholePath) ? wholePath : path;
  }

  #reportRefusal(
    report: (diagnostic: Diagnostic) => void,
    exchange: Exchange,
    reply: Reply | StreamReply,
  ): void {
    if (!("code" in reply)) return;
    const { status, code } = reply;
    const found = this.#findRoutes(exchange);
    const [route] = found === null || found === "malformed" ? [] : found.methods.values();
    const method = KNOWN_METHODS.has(exchange.method) ? exchange.method : "_OTHER";
    report({ type: "refusal", method, route: route?.path ?? null, status, code });
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
    streams: createStreams(log, options),
    waits: createWaits(options.maxStreamsPerUser),
    maxBodyBytes,
    retention: retentionMs === null ? {} : { "run-retention": `${Math.ceil(retentionMs / 1_000)}` },
  };
}
