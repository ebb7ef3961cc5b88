import {
  createPlaces,
  createTurns,
  type Holding,
  type Places,
  type StreamRequest,
  type Turns,
  type WorkSize,
} from "@tm/run-events-core/wire";
import { type Exchange, stopIfGone } from "../exchange/exchange.ts";
import type { Call, RouteContext } from "../routes/route.ts";

/**
 * How many first slices of pages are read for one user at a time. More wait here, and are dropped if their clients leave: a read in
 * the log's queue cannot be dropped. It is the bound of a user's streams and of its long-polls, each of which reads once.
 */
const FIRST_READS = 32;

/** How the owners of one handler share its event loop. @see clause W49 in `WIRE.md` */
export interface Shares {
  readonly turns: Turns;
  readonly firstReads: Places;
  readonly alone: Places;
}

/** Makes the shares of one handler. */
export function createShares(): Shares {
  return { turns: createTurns(), firstReads: createPlaces(FIRST_READS), alone: createPlaces(1) };
}

/** All that a request's route needs to answer. */
export interface OwnerRequest {
  readonly context: RouteContext;
  readonly shares: Shares;
  readonly exchange: Exchange;
  readonly ownerId: string;
  readonly runId: string;
  readonly code: string;
  readonly holding: Holding;
  readonly authorize: StreamRequest["authorize"];
  /** Whether it changes something. Such a request continues when its client has gone; a read does not. */
  readonly changes: boolean;
}

/** A request whose work waits for its owner's turn. */
export class OwnerCall implements Call {
  readonly context: RouteContext;
  readonly exchange: Exchange;
  readonly ownerId: string;
  readonly runId: string;
  readonly code: string;
  readonly holding: Holding;
  readonly authorize: StreamRequest["authorize"];
  readonly #shares: Shares;
  readonly #changes: boolean;

  constructor(request: OwnerRequest) {
    this.context = request.context;
    this.exchange = request.exchange;
    this.ownerId = request.ownerId;
    this.runId = request.runId;
    this.code = request.code;
    this.holding = request.holding;
    this.authorize = request.authorize;
    this.#shares = request.shares;
    this.#changes = request.changes;
  }

  /**
   * @throws Error if it is a read whose client has gone
   */
  goOn(): void {
    if (!this.#changes) stopIfGone(this.exchange);
  }

  async takeTurn(size: WorkSize): Promise<void> {
    const isOver = (): boolean => !this.#changes && this.exchange.isGone();
    await this.#shares.turns.take(this.ownerId, size, isOver);
    this.goOn();
  }

  goShort<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#shares.turns.goShort(this.ownerId, work);
  }

  readFirst<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#inPlace(this.#shares.firstReads, work);
  }

  goAlone<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#inPlace(this.#shares.alone, work);
  }

  #inPlace<Result>(places: Places, work: () => Promise<Result>): Promise<Result> {
    return places.run(this.ownerId, () => {
      this.goOn();
      return work();
    });
  }
}
