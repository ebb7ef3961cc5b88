import type { HttpDoors } from "./http-trial.ts";

/**
 * A server with short deadlines, for the same two users. The kit tries on it what takes minutes on another. Without a deadline, its
 * cases are not in the list. `maxStreamAgeMs` should be several times the others. All are in milliseconds, as the server has them.
 */
export interface HastyServer extends Pick<HttpDoors, "baseUrl" | "fetch"> {
  /**
   * The longest silence on a stream, and the interval at which its reader's authorisation is checked again.
   * @see W22, W26
   */
  readonly heartbeatMs?: number;
  /**
   * The longest life of a stream.
   * @see W26
   */
  readonly maxStreamAgeMs?: number;
  /**
   * How long a reader of a stream may take nothing, and a client may read nothing of an answer.
   * @see W25, W49
   */
  readonly stallMs?: number;
  /**
   * How long after the end of its lease a run ends as failed. A reaper that checks at least every second keeps the case short.
   * @see W33
   */
  readonly leaseGraceMs?: number;
}
