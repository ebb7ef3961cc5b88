import type { HttpDoors } from "./http-trial.ts";

/**
 * A server that soon ends runs on which no worker works, for the same two users. Without a limit, its cases are not in the list. A limit
 * should be several times what a request takes. All are in milliseconds, as the server has them. Checks at least every second keep the
 * cases short.
 * @see clause W37 in `WIRE.md` of `@tm/run-events-http`
 */
export interface IdleServer extends Pick<HttpDoors, "baseUrl" | "fetch"> {
  /** The time from its creation to the end of a queued run as failed. */
  readonly queuedForMs?: number;
  /** The time from its last event or its last release to the end of a running run as failed. */
  readonly idleForMs?: number;
  /** The same for a run that waits for a person. */
  readonly waitingForMs?: number;
}
