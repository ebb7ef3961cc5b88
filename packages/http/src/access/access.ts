import { RunEventsError } from "@tm/run-events-core";
import { isForeignOrigin, type StreamErrorCode } from "@tm/run-events-core/wire";
import { isChange, type Operation } from "../contract/operation.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { type Authenticate, checkIdentity, type Identity } from "./identity.ts";

/** The host's functions and settings about its callers. */
export interface Host<Native> {
  readonly authenticate: Authenticate<Native>;
  readonly allowedOrigins: readonly string[];
  /** Called when the host's sessions give an invalid answer. */
  readonly onError: (error: unknown) => void;
}

/**
 * Finds the user who sends the request, and checks that they may.
 * @param route demands a session, or any credential
 * @throws RunEventsError `unauthenticated`, `session_required`, `cross_site_request`; on the live stream also
 * `store_unavailable`, if the host's sessions fail
 * @see clauses W4, W5 and W19 in `WIRE.md`
 */
export async function identify<Native>(
  { authenticate, allowedOrigins }: Host<Native>,
  { header }: Pick<Exchange, "header">,
  native: Native,
  route: Pick<Operation, "access" | "method">,
): Promise<Identity> {
  const isStream = route.access === "session";
  const identity = isStream
    ? await findSession(authenticate, native)
    : checkIdentity(await authenticate(native, "any"));
  if (identity === null) throw unauthenticated(header("authorization") !== null);
  const byCookie = identity.credential === "session" && (isChange(route) || isStream);
  if (byCookie && isForeignOrigin(header, allowedOrigins)) {
    throw new RunEventsError(
      "cross_site_request",
      "Expected a request from a page of this origin, or of one in `allowedOrigins`, got one from another page. Add the origin of that page to the list.",
    );
  }
  return identity;
}

/**
 * Makes the check whether a session is still valid. A live stream keeps the check. The check keeps the host's request and the user's
 * id, but not the exchange.
 * @see clause W26 in `WIRE.md`
 */
export function recheck<Native>(
  { authenticate, onError }: Host<Native>,
  native: Native,
  ownerId: string,
): () => Promise<StreamErrorCode | null> {
  return async () => {
    const answer: unknown = await authenticate(native, "session");
    try {
      const identity = checkIdentity(answer);
      const isValid = identity?.credential === "session" && identity.userId === ownerId;
      return isValid ? null : "unauthenticated";
    } catch (error) {
      onError(error);
      return "unauthenticated";
    }
  };
}

/**
 * The live stream accepts only a session. A failure of the host's sessions counts as one of the store: `retryable`, now and at later checks.
 * @see clauses W19 and W26 in `WIRE.md`
 */
async function findSession<Native>(
  authenticate: Authenticate<Native>,
  native: Native,
): Promise<Identity | null> {
  let answer: unknown;
  try {
    answer = await authenticate(native, "session");
  } catch (cause) {
    throw new RunEventsError(
      "store_unavailable",
      "The session could not be checked, because `authenticate` failed. Try again.",
      { cause },
    );
  }
  const identity = checkIdentity(answer);
  if (identity?.credential === "session") return identity;
  if ((identity ?? checkIdentity(await authenticate(native, "any"))) === null) return null;
  throw new RunEventsError(
    "session_required",
    "Expected a session cookie, since the live stream takes nothing else, got another credential. Get a session, or poll the events with `wait`.",
  );
}

/** @param hasToken whether the request has an `Authorization` header */
function unauthenticated(hasToken: boolean): RunEventsError {
  return new RunEventsError(
    "unauthenticated",
    hasToken
      ? "Expected a valid bearer token, got one that is not known. Use another one."
      : "Expected a bearer token or a session that is valid, got neither. Sign in, then try again.",
  );
}
