import type { HttpDoors } from "./http-trial.ts";

/**
 * A server with short deadlines, for the same two users. The kit tries on it what takes minutes on another. Without a deadline, its
 * cases are not in the list. `maxStreamAgeMs` should be several times the others. All are in milliseconds, as the server has them.
 */
export interface HastyServer extends Pick<HttpDoors, "baseUrl" | "fetch"> {
  /**
   * The longest silence on a stream, and the interval at which its reader's authorisation is checked again.
   * @see clauses W22 and W26 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly heartbeatMs?: number;
  /**
   * The longest life of a stream.
   * @see clause W26 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly maxStreamAgeMs?: number;
  /**
   * The longest time for which a reader of a stream, or a client with an answer, may take nothing.
   * @see clauses W25 and W49 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly stallMs?: number;
  /**
   * The time from the end of its lease to the end of the run as failed. A reaper that checks at least every second keeps the case short.
   * @see clause W33 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly leaseGraceMs?: number;
}
