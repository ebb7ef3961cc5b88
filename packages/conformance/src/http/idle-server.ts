import type { HttpDoors } from "./http-trial.ts";

/**
 * A server that soon ends runs on which no worker works, for the same two users. Without a limit, its cases are not in the list. A limit
 * should be several times what a request takes. All are in milliseconds, as the server has them. Checks at least every second keep the
 * cases short.
 * @see clause W37 in `WIRE.md` of `@tm/run-events-http`
 */
export interface IdleServer extends Pick<HttpDoors, "baseUrl" | "fetch"> {
  /** How long after its creation a queued run ends as failed. */
  readonly queuedForMs?: number;
  /** How long after its last event or its last release a running run ends as failed. */
  readonly idleForMs?: number;
  /** The same for a run that waits for a person. */
  readonly waitingForMs?: number;
}
