import { RunEventsError } from "../rules/errors.ts";

/** The bounds of what one user may have in flight at a handler. @see clause W49 in `WIRE.md` of `@tm/run-events-http` */
export interface InFlightLimits {
  /** Requests, from when their user is known until the client has read the answer. Live streams have another limit. */
  readonly maxRequests: number;
  /** Bytes of bodies that are being received or appended; the same bound again for answers that clients have not read. */
  readonly maxBytes: number;
}

/**
 * The bounds by default: 32 MiB are eight bodies, or eight pages, of the greatest size.
 * @see clause W49 in `WIRE.md` of `@tm/run-events-http`
 */
export const IN_FLIGHT_LIMITS: InFlightLimits = {
  maxRequests: 1_024,
  maxBytes: 33_554_432,
};

/** The number of a user's reads that are under way at once: 8 MiB, if each brings a slice of a page. */
const MOST_READS = 32;
/** The time that a refusal waits for its answer, in milliseconds. */
const REFUSAL_MS = 250;

/** The requests and bytes in flight, of one user or of all. */
export interface InFlight {
  readonly requests: number;
  /** Bytes of bodies that are being received or appended. */
  readonly bodyBytes: number;
  /** Bytes of answers that are being made, or that clients have not read. */
  readonly answerBytes: number;
}

type Counts = { -readonly [Name in keyof InFlight]: number };

/** The requests and bytes that one user has in flight. */
interface User extends Counts {
  readonly reads: Gate;
  readonly large: Gate;
}

/** Lets a few pieces of a kind of work run at once, and the others after them, in order. */
type Gate = <Result>(work: () => Promise<Result>) => Promise<Result>;

const NAMES = ["requests", "bodyBytes", "answerBytes"] as const;

function createCounts(): Counts {
  return { requests: 0, bodyBytes: 0, answerBytes: 0 };
}

function createUser(): User {
  return { ...createCounts(), reads: createGate(MOST_READS), large: createGate(1) };
}

function createGate(atOnce: number): Gate {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return async (work) => {
    if (free > 0) free -= 1;
    // Work that ends passes its place to the next.
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

/** One request's share of what its user has in flight. It starts with nothing, and holds nothing after `leave`. */
export class Holding {
  readonly #limits: InFlightLimits;
  readonly #byUser: Map<string, User>;
  readonly #mine = createCounts();
  #ownerId = "";
  /** `null` for a request without a user: it does not count. */
  #user: User | null = null;

  constructor(limits: InFlightLimits, byUser: Map<string, User>) {
    this.#limits = limits;
    this.#byUser = byUser;
  }

  /**
   * Counts the request as this user's, and works on it. If the work fails, its bytes do not count any more. A refusal rejects a quarter of
   * a second later, so that a client that ignores `Retry-After` has to wait and can send only few requests.
   * @throws RunEventsError `too_many_requests`
   * @throws what the work throws
   */
  async enter<Result>(ownerId: string, work: () => Promise<Result>): Promise<Result> {
    try {
      this.#enter(ownerId);
      return await work();
    } catch (error) {
      this.holdBody(0);
      this.holdAnswer(0);
      if (error instanceof RunEventsError && error.code === "too_many_requests")
        await pauseRefusal();
      throw error;
    }
  }

  /**
   * Sets how many bytes of its body the request holds from now on. More than the user's bound is refused, unless it is the user's
   * only body.
   * @throws RunEventsError `too_many_requests`
   */
  holdBody(bytes: number): void {
    this.#hold("bodyBytes", bytes, "bytes of bodies");
  }

  /**
   * Sets the same for its answer. While an answer is being made, it holds the most that it may take. A refusal changes nothing.
   * @throws RunEventsError `too_many_requests`
   */
  holdAnswer(bytes: number): void {
    this.#hold("answerBytes", bytes, "bytes of unread answers");
  }

  /** The number of bytes that the user's other answers leave free: `Infinity` without any, and 0 or less if nothing is free. */
  freeForAnswer(): number {
    const others = (this.#user?.answerBytes ?? 0) - this.#mine.answerBytes;
    return others === 0 ? Infinity : this.#limits.maxBytes - others;
  }

  /**
   * Refuses a read if nothing is free for its answer.
   * @throws RunEventsError `too_many_requests`
   */
  checkAnswers(): void {
    if (this.freeForAnswer() <= 0) throw tooMany(this.#limits.maxBytes, "bytes of unread answers");
  }

  /** Reads once fewer than 32 reads of the user are under way, because their bytes count only when they have arrived. */
  read<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#user === null ? work() : this.#user.reads(work);
  }

  /** Does a piece of large work when none of the user's is under way, so that only one is in memory. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#user === null ? work() : this.#user.large(work);
  }

  /** Gives everything back. Idempotent. */
  leave(): void {
    if (this.#user === null) return;
    for (const name of NAMES) this.#set(name, 0);
    // The entry may be newer: a user who has left and come back has new counts.
    if (this.#user.requests === 0) this.#byUser.delete(this.#ownerId);
    this.#user = null;
  }

  #enter(ownerId: string): void {
    const user = this.#byUser.get(ownerId) ?? createUser();
    if (user.requests >= this.#limits.maxRequests)
      throw tooMany(this.#limits.maxRequests, "requests");
    this.#byUser.set(ownerId, user);
    this.#ownerId = ownerId;
    this.#user = user;
    this.#set("requests", 1);
  }

  #hold(name: "bodyBytes" | "answerBytes", bytes: number, what: string): void {
    const others = (this.#user?.[name] ?? 0) - this.#mine[name];
    const isMore = bytes > this.#mine[name];
    if (isMore && others > 0 && others + bytes > this.#limits.maxBytes)
      throw tooMany(this.#limits.maxBytes, what);
    this.#set(name, bytes);
  }

  #set(name: keyof Counts, value: number): void {
    if (this.#user === null) return;
    this.#user[name] += value - this.#mine[name];
    this.#mine[name] = value;
  }
}

/** The shares of all requests at one handler, by user; a user with nothing in flight takes no memory. */
export class InFlights {
  readonly #limits: InFlightLimits;
  readonly #byUser = new Map<string, User>();

  constructor(limits: InFlightLimits = IN_FLIGHT_LIMITS) {
    this.#limits = limits;
  }

  open(): Holding {
    return new Holding(this.#limits, this.#byUser);
  }

  total(): InFlight {
    const total = createCounts();
    for (const counts of this.#byUser.values())
      for (const name of NAMES) total[name] += counts[name];
    return total;
  }
}

/**
 * Refusals of a process are also 5 ms apart, so that a flood does not come back all at once, but none waits for more than 2 s. It is a timer
 * of the host: a refusal is answered even if the handler's clock is a test's.
 */
function pauseRefusal(): Promise<void> {
  const now = performance.now();
  lastRefusalMs = Math.min(Math.max(now + REFUSAL_MS, lastRefusalMs + 5), now + 2_000);
  // A timer cuts off the fraction, so that 250 ms after an odd `now` would be 249.
  const waitMs = Math.round(lastRefusalMs - now);
  return new Promise((resolve) => void setTimeout(resolve, waitMs));
}

let lastRefusalMs = Number.NEGATIVE_INFINITY;

function tooMany(most: number, what: string): RunEventsError {
  return new RunEventsError(
    "too_many_requests",
    `Expected at most ${most} ${what} of this user in flight, got more. Let some end, then try again.`,
  );
}
