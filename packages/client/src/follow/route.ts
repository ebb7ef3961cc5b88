import { canStream, type Credential } from "../http/credential.ts";

/** How a run is read: over the live stream, by polls that the server holds, or by polls that it answers at once. */
export type Transport = "stream" | "long_poll" | "poll";

/** The best transport for a credential. @see clause W19 in `WIRE.md` of `@tm/run-events-http` */
export function bestFor(credential: Credential = "session"): Transport {
  return canStream(credential) ? "stream" : "long_poll";
}

/**
 * How an attempt was lost.
 *
 * - `away`: the server did not answer, or refused for now.
 * - `empty`: it answered, and sent nothing more.
 * - `held_back`: something on the way held the first frame back, or changed it.
 * - `cut`: it broke off after something had come.
 * - `full`: the server has no place left for this transport.
 */
export type Loss = "away" | "empty" | "held_back" | "cut" | "full";

/** After this many empty attempts in a row the next transport is tried. */
const MAX_EMPTY = 3;
/** How long a worse transport is kept before the best is tried again, in milliseconds. */
const PROBE_MS = 300_000;

/** The way to the server that is in use. It is a value: each step returns a new one. */
export interface Route {
  readonly transport: Transport;
  readonly best: Transport;
  /** Whether anything has come over this transport since it was chosen. */
  readonly isProven: boolean;
  /** How many attempts in a row brought nothing. */
  readonly empty: number;
  /** When to try the best transport again; `Infinity` while it is in use. */
  readonly probeAt: number;
}

/** The route over the best transport. */
export function bestRoute(best: Transport): Route {
  return { transport: best, best, isProven: false, empty: 0, probeAt: Infinity };
}

/** The route after something arrived over it. */
export function afterArrival(route: Route): Route {
  return { ...route, isProven: true, empty: 0 };
}

/**
 * The route after an attempt that was lost. A loss because the server is away proves nothing about the transport. So a worse transport
 * is kept only after something arrived over it, and only until `probeAt`. A full server does answer, and the next transport needs less
 * of it.
 * @param now on the clock of `probeAt`, in milliseconds
 */
export function afterLoss(route: Route, loss: Loss, now: number): Route {
  const { transport, best, isProven } = route;
  if (!isProven && transport !== best && loss !== "full") return bestRoute(best);
  if (loss === "away" || loss === "cut") return route;
  const empty = route.empty + 1;
  if (transport === "poll" || (loss === "empty" && empty < MAX_EMPTY)) {
    return { ...route, empty };
  }
  const worse = transport === "stream" ? "long_poll" : "poll";
  return { ...bestRoute(best), transport: worse, probeAt: now + PROBE_MS };
}
