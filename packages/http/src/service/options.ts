import type { RunEvents } from "@tm/run-events-core";
import type { StreamsOptions, Streams } from "@tm/run-events-core/wire";
import { bounds } from "@tm/run-events-core/wire";
import type { Authenticate } from "../access/identity.ts";
import type { Reply } from "../exchange/exchange.ts";

/** Settings of `createHandler` and `createNodeHandler`. `Native` is the request of the host's framework. */
export interface HandlerOptions<Native> extends StreamsOptions {
  /** The runs to serve. */
  readonly runs: RunEvents;
  /** Finds the user of each request. */
  readonly authenticate: Authenticate<Native>;
  /**
   * The path of all runs, as clients send it, such as `/api/runs`. The paths of runs are below it. A slash at its end is ignored. The client
   * and the handler have to have the same one. `/v1/errors` and `/openapi.json` stay where they are.
   * @defaultValue `"/v1/agent-runs"`
   * @see clause W50 in `WIRE.md`
   */
  readonly basePath?: string | undefined;
  /**
   * Exact origins of other pages that may call with the session cookie, such as `https://app.example`.
   * @defaultValue `[]`
   * @see clauses W5 and W19 in `WIRE.md`
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * The most bytes of a JSON body, and of one NDJSON line.
   * @defaultValue 4,194,304
   * @see clause W9 in `WIRE.md`
   */
  readonly maxBodyBytes?: number;
  /**
   * The most requests of one user in flight, from when the user is known until the client has read the answer. Live streams do
   * not count.
   * @defaultValue 1,024
   * @see clause W49 in `WIRE.md`
   */
  readonly maxRequestsPerUser?: number;
  /**
   * The most bytes of one user's bodies that are being received or appended. The same bound holds again for answers that the client
   * has not read. At least 1. A page ends early where they leave it no room.
   * @defaultValue 33,554,432
   * @see clause W49 in `WIRE.md`
   */
  readonly maxBytesPerUser?: number;
  /**
   * The time that a client may read nothing of a stream, or of any other answer, in milliseconds.
   * @defaultValue 30,000
   */
  readonly stallMs?: number;
  /**
   * For how long your upkeep keeps a finished run, in milliseconds; `null` for ever. Clients see it. The handler removes nothing by
   * itself.
   * @defaultValue `null`
   */
  readonly retentionMs?: number | null;
  /**
   * Called, for the host's log, with every error whose answer is a 5xx, or in its place an `error` frame on a stream. Also called with what
   * the response of a stream throws: that stream then ends.
   * @defaultValue `console.error`
   */
  readonly onError?: (error: unknown) => void;
}

/** Does work within a user's bounds. @throws RunEventsError `too_many_requests`, or what the work throws */
export type Within = <Result>(userId: string, work: () => Promise<Result>) => Promise<Result>;

/**
 * The methods of one path of the host's own. `HEAD` is answered wherever `GET` is. What one throws is answered as a problem. Work that
 * it does `within` a user counts among the user's requests until the client has the answer.
 * @see clause W49 in `WIRE.md`
 */
export type OwnMethods<Native> = Readonly<
  Record<string, (request: Native, within: Within) => Reply | Promise<Reply>>
>;

/** Counts of what a handler has open. */
export interface HandlerStats {
  /** Live streams. */
  readonly streams: ReturnType<Streams["stats"]>;
  /** Long-polls that are being held. */
  readonly waiting: number;
  /** The requests and bytes in flight of all users. @see clause W49 in `WIRE.md` */
  readonly inFlight: bounds.InFlight;
}

/** The members that both handlers have besides their way to take a request. */
export interface Drainable {
  /**
   * Answers held long-polls, refuses new streams, and ends open streams spread over the window. Resolves when all have ended.
   * @param windowMs in milliseconds
   * @see clause W27 in `WIRE.md`
   */
  drain(windowMs: number): Promise<void>;
  /** Counts what the handler has open now. */
  stats(): HandlerStats;
}
