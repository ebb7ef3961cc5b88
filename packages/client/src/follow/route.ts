/** How a run is read: over the live stream, by polls that the server holds, or by polls that it answers at once. */
export type Transport = "stream" | "long_poll" | "poll";

/**
 * How an attempt was lost. `away`: the server did not answer, or would not. `empty`: it answered, and nothing came of it.
 * `held_back`: what has to come at once did not, or was changed on the way. `cut`: something came before. `full`: the server answered that it has no place left
 * for this transport.
 */
export type Loss = "away" | "empty" | "held_back" | "cut" | "full";

/** So many empty attempts in a row lead to the next transport. */
const MAX_EMPTY = 3;
/** How long a worse transport is kept before the best is tried again, in milliseconds. */
const PROBE_MS = 300_000;

/** The way to the server that is in use. A value: each step gives another. */
export interface Route {
  readonly transport: Transport;
  readonly best: Transport;
  /** Whether anything has come over this transport since it was chosen. */
  readonly isProven: boolean;
  /** Attempts in a row of which nothing came. */
  readonly empty: number;
  /** When to try the best transport again; `Infinity` while it is in use. */
  readonly probeAt: number;
}

/** The best route there can be. */
export function bestRoute(best: Transport): Route {
  return { transport: best, best, isProven: false, empty: 0, probeAt: Infinity };
}

/** The route after something came over it. */
export function afterArrival(route: Route): Route {
  return { ...route, isProven: true, empty: 0 };
}

/**
 * The route after an attempt that was lost. A server that is away says nothing about transports. So a worse transport is kept
 * only if something comes over it, and not for ever. A server that is full is there: the next transport needs less of it.
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
