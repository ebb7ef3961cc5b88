import { RunEventsError } from "../rules/errors.ts";

/** The bounds of what one user may have in flight at a handler. @see clause W49 in `WIRE.md` of `@tm/run-events-http` */
export interface InFlightLimits {
  /** Requests, from when their user is known until the client has read the answer. Live streams have another limit. */
  readonly maxRequests: number;
  /** NDJSON uploads that have not ended. */
  readonly maxUploads: number;
  /** Bytes of bodies that are being received or appended; the same bound again for answers that clients have not read. */
  readonly maxBytes: number;
}

/**
 * The bounds by default: 32 MiB are eight bodies, or eight pages, of the greatest size.
 * @see clause W49 in `WIRE.md` of `@tm/run-events-http`
 */
export const IN_FLIGHT_LIMITS: InFlightLimits = {
  maxRequests: 1_024,
  maxUploads: 128,
  maxBytes: 33_554_432,
};

/** How much is in flight, of one user or of all. */
export interface InFlight {
  readonly requests: number;
  readonly uploads: number;
  /** Bytes of bodies that are being received or appended. */
  readonly bodyBytes: number;
  /** Bytes of answers that are being made, or that clients have not read. */
  readonly answerBytes: number;
}

type Counts = { -readonly [Name in keyof InFlight]: number };

/** One request's share of what its user has in flight. It starts with nothing, and holds nothing after `leave`. */
export interface Holding {
  /**
   * Counts the request as this user's.
   * @throws RunEventsError `too_many_requests`
   */
  enter(ownerId: string): void;
  /**
   * Counts it as an upload of lines.
   * @throws RunEventsError `too_many_requests`
   */
  beginUpload(): void;
  /**
   * Sets how many bytes of its body the request holds from now on. More than the user's bound is refused, unless it is the user's
   * only body.
   * @throws RunEventsError `too_many_requests`
   */
  holdBody(bytes: number): void;
  /**
   * Sets the same for its answer. While the answer is made, that is the most it may take. A refused answer changes nothing.
   * @throws RunEventsError `too_many_requests`
   */
  holdAnswer(bytes: number): void;
  /**
   * Refuses a read whose answer would exceed the bound.
   * @throws RunEventsError `too_many_requests`
   */
  checkAnswers(): void;
  /** Gives everything back. Idempotent. */
  leave(): void;
}

/** The shares of all requests at one handler. */
export interface InFlights {
  open(): Holding;
  total(): InFlight;
}

/** Counts by user; a user with nothing in flight takes no memory. */
export function createInFlights(limits: InFlightLimits): InFlights {
  const byUser = new Map<string, Counts>();
  return {
    open: () => new RequestHolding(limits, byUser),
    total() {
      const total = createCounts();
      for (const counts of byUser.values()) for (const name of NAMES) total[name] += counts[name];
      return total;
    },
  };
}

const NAMES = ["requests", "uploads", "bodyBytes", "answerBytes"] as const;

function createCounts(): Counts {
  return { requests: 0, uploads: 0, bodyBytes: 0, answerBytes: 0 };
}

/** Counts of a request without a user: they end with the request. */
const NO_ONE = "";

class RequestHolding implements Holding {
  readonly #limits: InFlightLimits;
  readonly #byUser: Map<string, Counts>;
  readonly #mine = createCounts();
  #ownerId = NO_ONE;
  #user: Counts = this.#mine;

  constructor(limits: InFlightLimits, byUser: Map<string, Counts>) {
    this.#limits = limits;
    this.#byUser = byUser;
  }

  enter(ownerId: string): void {
    const user = this.#byUser.get(ownerId) ?? createCounts();
    if (user.requests >= this.#limits.maxRequests)
      throw tooMany(this.#limits.maxRequests, "requests");
    this.#byUser.set(ownerId, user);
    this.#ownerId = ownerId;
    this.#user = user;
    this.#set("requests", 1);
  }

  beginUpload(): void {
    if (this.#user.uploads >= this.#limits.maxUploads)
      throw tooMany(this.#limits.maxUploads, "uploads of lines");
    this.#set("uploads", 1);
  }

  holdBody(bytes: number): void {
    this.#hold("bodyBytes", bytes, "bytes of bodies");
  }

  holdAnswer(bytes: number): void {
    this.#hold("answerBytes", bytes, "bytes of unread answers");
  }

  checkAnswers(): void {
    if (this.#user.answerBytes >= this.#limits.maxBytes)
      throw tooMany(this.#limits.maxBytes, "bytes of unread answers");
  }

  leave(): void {
    if (this.#ownerId === NO_ONE) return;
    for (const name of NAMES) this.#set(name, 0);
    // The entry may be newer: a user who has left and come back has new counts.
    if (this.#user.requests === 0) this.#byUser.delete(this.#ownerId);
    this.#ownerId = NO_ONE;
    this.#user = this.#mine;
  }

  #hold(name: "bodyBytes" | "answerBytes", bytes: number, what: string): void {
    const others = this.#user[name] - this.#mine[name];
    const isMore = bytes > this.#mine[name];
    if (isMore && others > 0 && others + bytes > this.#limits.maxBytes)
      throw tooMany(this.#limits.maxBytes, what);
    this.#set(name, bytes);
  }

  #set(name: keyof Counts, value: number): void {
    if (this.#user === this.#mine) return;
    this.#user[name] += value - this.#mine[name];
    this.#mine[name] = value;
  }
}

function tooMany(most: number, what: string): RunEventsError {
  return new RunEventsError(
    "too_many_requests",
    `Expected at most ${most} ${what} of this user in flight, got more. Let some end, then try again.`,
  );
}
