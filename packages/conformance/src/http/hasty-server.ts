import type { HttpDoors } from "./http-trial.ts";

/**
 * Another server, or another door of the same, for the same two users, whose deadlines are short: what takes minutes otherwise
 * is tried on it. `maxStreamAgeMs` should be several times the others. What is not given is not tried.
 */
export interface HastyServer extends Pick<HttpDoors, "baseUrl" | "fetch"> {
  /** The longest silence on a stream, and how often its reader's authorisation is asked again. @see W22, W26 */
  readonly heartbeatMs?: number;
  /** The longest life of a stream. @see W26 */
  readonly maxStreamAgeMs?: number;
  /** How long a reader of a stream may take nothing, and a client may read nothing of an answer. @see W25, W49 */
  readonly stallMs?: number;
  /**
   * For how long a lease has expired before its run ends as failed. A reaper that looks every second or more often keeps the
   * case short.
   * @see W33
   */
  readonly leaseGraceMs?: number;
}
