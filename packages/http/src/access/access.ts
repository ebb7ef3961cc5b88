import { RunEventsError } from "@tm/run-events-core";
import { isForeignOrigin, type StreamErrorCode } from "@tm/run-events-core/wire";
import type { Exchange } from "../exchange/exchange.ts";
import { type Authenticate, checkIdentity, type Identity } from "./identity.ts";

/** What a route demands of its caller. */
interface Demand {
  readonly access: "any" | "session";
  readonly changes: boolean;
}

/** Settings of a host's access. */
export interface AccessOptions<Native> {
  readonly authenticate: Authenticate<Native>;
  readonly allowedOrigins: readonly string[];
  /** Called when the host's sessions give an invalid answer. */
  readonly onError: (error: unknown) => void;
}

/** Who may call which route. */
export class Access<Native> {
  readonly #authenticate: Authenticate<Native>;
  readonly #allowedOrigins: readonly string[];
  readonly #onError: (error: unknown) => void;

  constructor({ authenticate, allowedOrigins, onError }: AccessOptions<Native>) {
    this.#authenticate = authenticate;
    this.#allowedOrigins = allowedOrigins;
    this.#onError = onError;
  }

  /**
   * Finds the user who sends the request, and checks that they may.
   * @throws RunEventsError `unauthenticated`, `session_required`, `cross_site_request`; on the live stream also
   * `store_unavailable`, if the host's sessions fail
   * @see clauses W4, W5 and W19 in `WIRE.md`
   */
  async identify(
    { header }: Pick<Exchange, "header">,
    native: Native,
    { access, changes }: Demand,
  ): Promise<Identity> {
    const isStream = access === "session";
    const identity = isStream ? await this.#findSession(native) : await this.#find(native);
    if (identity === null) throw unauthenticated(header("authorization") !== null);
    const byCookie = identity.credential === "session" && (changes || isStream);
    if (byCookie && isForeignOrigin(header, this.#allowedOrigins)) {
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
  recheck(native: Native, ownerId: string): () => Promise<StreamErrorCode | null> {
    return async () => {
      const answer: unknown = await this.#authenticate(native, "session");
      try {
        const identity = checkIdentity(answer);
        const isValid = identity?.credential === "session" && identity.userId === ownerId;
        return isValid ? null : "unauthenticated";
      } catch (error) {
        this.#onError(error);
        return "unauthenticated";
      }
    };
  }

  async #find(native: Native): Promise<Identity | null> {
    return checkIdentity(await this.#authenticate(native, "any"));
  }

  /** The live stream accepts only a session. Any other credential gets `session_required`. */
  async #findSession(native: Native): Promise<Identity | null> {
    const identity = checkIdentity(await this.#lookUp(native));
    if (identity?.credential === "session") return identity;
    if ((identity ?? (await this.#find(native))) === null) return null;
    throw new RunEventsError(
      "session_required",
      "Expected a session cookie, since the live stream takes nothing else, got another credential. Get a session, or poll the events with `wait`.",
    );
  }

  /**
   * On a live stream a failure of the host's sessions counts as one of the store: `retryable`, now and at later checks.
   * @see clause W26 in `WIRE.md`
   */
  async #lookUp(native: Native): Promise<unknown> {
    try {
      return await this.#authenticate(native, "session");
    } catch (cause) {
      throw new RunEventsError(
        "store_unavailable",
        "The session could not be checked, because `authenticate` failed. Try again.",
        { cause },
      );
    }
  }
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
