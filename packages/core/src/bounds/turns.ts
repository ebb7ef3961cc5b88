import { afterTurn } from "../time/clock.ts";
import { createOwnerQueue, type WaitingItem } from "./owner-queue.ts";

/** How many short pieces of work fit into one turn of the event loop, such as creates on SQLite. */
const SHORT_A_TURN = 2;

/**
 * The size of a piece of work. `short` shares a turn of the event loop. `large` has a turn alone, for a few milliseconds. `largest` has
 * one alone for up to 20 milliseconds, and gives way to the short requests of others.
 */
export type WorkSize = "short" | "large" | "largest";

/** For how many turns the largest work gives way at most, so that new short requests cannot stop it for ever. One takes three or four. */
const MOST_WAITS = 8;

/** Runs separate work in turns of the event loop, so that appends and short answers come in between. */
export interface Turns {
  /**
   * Resolves when it is the caller's turn to go on. That is at once if this turn has room, but never for the largest work. The largest
   * work waits until no other owner's short request is at work, for 8 turns at most. So a short request waits only for the piece that has begun.
   * @param isOver whether nothing needs the work any more; it then takes no part of a turn
   * @see clause W49 in `WIRE.md` of `@tm/run-events-http`
   */
  take(ownerId: string, size: WorkSize, isOver?: () => boolean): Promise<void>;
  /** Runs the work of a short request. Meanwhile the largest work of other owners gives way. */
  goShort<Result>(ownerId: string, work: () => Promise<Result>): Promise<Result>;
}

interface Waiting extends WaitingItem {
  readonly size: WorkSize;
}

/**
 * Makes turns that owners share: each piece waits for one piece of every other waiting owner, however many those have. Without
 * turns, work that arrives together runs in one go, and all owners wait for the last piece.
 */
export function createTurns(): Turns {
  return new SharedTurns();
}

/**
 * What becomes of a piece, by its size:
 *
 * | size    | when it is taken                     | at a turn of the event loop                        | costs        |
 * | ------- | ------------------------------------ | -------------------------------------------------- | ------------ |
 * | short   | goes if this turn has room           | goes in its owner's turn                           | half a turn  |
 * | large   | goes if nothing has gone this turn   | goes in its owner's turn                           | a whole turn |
 * | largest | waits                                | goes if no other owner's short request is at work, | a whole turn |
 * |         |                                      | or it has given way for 8 turns                    |              |
 *
 * A turn is counted only while a piece has run or waits. Otherwise the event loop is left alone.
 */
class SharedTurns implements Turns {
  readonly #queue = createOwnerQueue<Waiting>();
  /** How many short requests of each owner are at work. */
  readonly #short = new Map<string, number>();
  #left = SHORT_A_TURN;
  /** Turns since the largest work went on. */
  #waits = 0;
  #isTicking = false;

  take(ownerId: string, size: WorkSize, isOver = never): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#queue.add(ownerId, { size, isOver, resolve });
    this.#goNext((piece) => piece.size !== "largest");
    if (!this.#isTicking) {
      this.#isTicking = true;
      afterTurn(this.#tick);
    }
    return promise;
  }

  async goShort<Result>(ownerId: string, work: () => Promise<Result>): Promise<Result> {
    this.#short.set(ownerId, (this.#short.get(ownerId) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const others = (this.#short.get(ownerId) ?? 1) - 1;
      if (others === 0) this.#short.delete(ownerId);
      else this.#short.set(ownerId, others);
    }
  }

  readonly #tick = (): void => {
    this.#left = SHORT_A_TURN;
    this.#waits += 1;
    while (this.#goNext(this.#mayGo));
    if (this.#left < SHORT_A_TURN || this.#queue.size() > 0) afterTurn(this.#tick);
    else this.#isTicking = false;
  };

  /** Whether a piece may go: only the largest work has to give way. */
  readonly #mayGo = ({ size }: Waiting, ownerId: string): boolean =>
    size !== "largest" ||
    this.#waits >= MOST_WAITS ||
    this.#short.size === (this.#short.has(ownerId) ? 1 : 0);

  /** Lets the next piece go that may, if the turn has room for it. @returns whether one went */
  #goNext(may: (piece: Waiting, ownerId: string) => boolean): boolean {
    let isFull = false;
    const next = this.#queue.take((piece, ownerId) => {
      if (isFull || !may(piece, ownerId)) return false;
      // No later piece may overtake it.
      isFull = costOf(piece.size) > this.#left;
      return !isFull;
    });
    if (next === null) return false;
    this.#left -= costOf(next.size);
    if (next.size === "largest") this.#waits = 0;
    next.resolve();
    return true;
  }
}

function costOf(size: WorkSize): number {
  return size === "short" ? 1 : SHORT_A_TURN;
}

function never(): boolean {
  return false;
}
