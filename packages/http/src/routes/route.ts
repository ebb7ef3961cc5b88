import { type RunLog, RUNS_PATH, bounds } from "@tm/run-events-core/wire";
import type { Streams } from "@tm/run-events-core/wire";
import type { Waits } from "../bounds/waits.ts";
import type { Exchange, Headers, Reply, StreamReply } from "../exchange/exchange.ts";
import type { Operation } from "../contract/operation.ts";

/** The parts that the routes of one handler share. */
export interface RouteContext {
  readonly log: RunLog;
  readonly streams: Streams;
  readonly waits: Waits;
  /** The most bytes of a body that is read whole, and of one NDJSON line. @see clause W9 in `WIRE.md` */
  readonly maxBodyBytes: number;
  /** The header of answers with whole runs that says how long finished runs are kept. @see clause W14 in `WIRE.md` */
  readonly retention: Headers;
  /** The path of all runs, as clients send it. @see clause W50 in `WIRE.md` */
  readonly basePath: string;
  /** The OpenAPI document of these routes. @see clause W30 in `WIRE.md` */
  readonly document: () => string;
}

/** A request whose owner is known. */
export interface Call {
  readonly context: RouteContext;
  readonly exchange: Exchange;
  /** Empty where anyone may call. */
  readonly ownerId: string;
  /** Empty where the path has no run. */
  readonly runId: string;
  /** Empty where the path has no error's code. Not yet checked. */
  readonly code: string;
  /** The request's share of what its user may have in flight. @see clause W49 in `WIRE.md` */
  readonly holding: bounds.Holding;
  /**
   * Waits until the owner may do a piece of work: a `large` one, or a call of the store that shares no group with others.
   * @throws Error if it is a read whose client has gone
   * @see clause W49 in `WIRE.md`
   */
  takeTurn(size: bounds.WorkSize): Promise<void>;
  /** Checks again whether the request's session is valid: `null` if it is. @see clause W26 in `WIRE.md` */
  readonly authorize: Parameters<Streams["open"]>[0]["authorize"];
}

/** One method of one path: who may call it, what it takes and answers, and how the OpenAPI document describes it. */
export interface Route extends Operation {
  readonly answer: (call: Call) => Promise<Reply | StreamReply>;
}

/** The path of one run. A handler's own routes are moved to its `basePath`. @see clause W50 in `WIRE.md` */
export const RUN_PATH: string = `${RUNS_PATH}/{runId}`;
