import type { StreamRequest } from "@tm/run-events-core/wire";
import type { Exchange, Reply, StreamReply } from "./exchange.ts";
import type { Holding } from "./in-flight.ts";
import type { Service } from "./service.ts";
import type { WorkSize } from "./turns.ts";

/** A request whose owner is known. */
export interface Call {
  readonly service: Pick<
    Service<unknown>,
    "log" | "streams" | "waits" | "maxBodyBytes" | "retention"
  >;
  readonly exchange: Exchange;
  readonly ownerId: string;
  readonly runId: string;
  /** The request's share of what its user may have in flight. @see W49 */
  readonly holding: Holding;
  /** Waits for the owner's turn to block the event loop for a while. @see W49 */
  readonly takeTurn: (size: WorkSize) => Promise<void>;
  /** Does the work of a short request, while the large work of other owners waits. @see W49 */
  readonly goShort: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Reads the first slice of a page once fewer than 32 of the owner's are being read. If its client goes before, it is not read. @see W49 */
  readonly look: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Runs a large piece of the owner's work when none before it goes on: of all that are asked for, one is in memory. @see W49 */
  readonly goAlone: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Asks anew whether the request's session still stands: `null` if it does. @see W26 */
  readonly authorize: StreamRequest["authorize"];
}

/** One method of one path. */
export interface Route {
  /** Who may call it: anybody, any credential, or a session. @see W4, W19 */
  readonly access: "open" | "any" | "session";
  /** Whether it changes something, so that a page of another origin must not send it with a cookie. @see W5 */
  readonly changes: boolean;
  /**
   * Set if each request is separate work for the store: then owners take turns, and this is the size of the work. Not for a
   * request with a body: `readBody` takes its turn. @see W49
   */
  readonly takesTurn?: WorkSize;
  readonly answer: (call: Call) => Promise<Reply | StreamReply>;
}

/** The methods of one path. */
export type Methods = Readonly<Partial<Record<"GET" | "POST" | "PUT" | "DELETE", Route>>>;
