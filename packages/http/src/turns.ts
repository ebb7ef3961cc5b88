import { afterTurn } from "@tm/run-events-core/wire";
import { createOwnerQueue, type WaitingItem } from "./owner-queue.ts";

/** How many short pieces of work fit into one turn of the event loop: a create takes some 0.3 ms on SQLite, plus a commit. */
const SHORT_A_TURN = 2;

/**
 * The size of a piece of work. `short` shares a turn of the event loop. `large` has one alone, for a few milliseconds. `largest` does
 * so for up to 20, and gives way to the short requests of others.
 */
export type WorkSize = "short" | "large" | "largest";

/** For how many turns the largest work gives way at most. A short request takes three or four; new ones must not stop it for ever. */
const MOST_WAITS = 8;

/** Runs separate work in turns of the event loop, so that appends and short answers come in between. */
export interface Turns {
  /**
   * Resolves when it is the caller's turn to go on, and at once if this one has room. The largest work waits for a later turn, in
   * which no other owner's short request is at work, but for 8 turns at most: so a short request waits for the one piece of it that
   * has begun.
   * @param isOver whether the work is not wanted any more; then it takes no part of a turn
   * @see W49
   */
  take(ownerId: string, size: WorkSize, isOver?: () => boolean): Promise<void>;
  /** Does a short request's work, while the largest work of other owners gives way. */
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
  const queue = createOwnerQueue<Waiting>();
  /** How many short requests of each owner are at work. */
  const short = new Map<string, number>();
  let left = SHORT_A_TURN;
  /** Turns since the largest work went on. */
  let waits = 0;
  let isTicking = false;

  function tick(): void {
    left = SHORT_A_TURN;
    waits += 1;
    while (goNext(mayGo));
    if (left < SHORT_A_TURN || queue.size() > 0) afterTurn(tick);
    else isTicking = false;
  }

  /** The largest work has to give way; all other may go. */
  function mayGo({ size }: Waiting, ownerId: string): boolean {
    return size !== "largest" || waits >= MOST_WAITS || short.size === (short.has(ownerId) ? 1 : 0);
  }

  /** Lets the next piece go that may, if the turn has room for it. @returns whether one has gone */
  function goNext(may: typeof mayGo): boolean {
    let isFull = false;
    const next = queue.take((piece, ownerId) => {
      if (isFull || !may(piece, ownerId)) return false;
      // The pieces behind it may not pass it.
      isFull = costOf(piece.size) > left;
      return !isFull;
    });
    if (next === null) return false;
    left -= costOf(next.size);
    if (next.size === "largest") waits = 0;
    next.resolve();
    return true;
  }

  return {
    take(ownerId, size, isOver = never) {
      const { promise, resolve } = Promise.withResolvers<void>();
      queue.add(ownerId, { size, isOver, resolve });
      goNext((piece) => piece.size !== "largest");
      if (!isTicking) {
        isTicking = true;
        afterTurn(tick);
      }
      return promise;
    },
    async goShort(ownerId, work) {
      short.set(ownerId, (short.get(ownerId) ?? 0) + 1);
      try {
        return await work();
      } finally {
        const others = (short.get(ownerId) ?? 1) - 1;
        if (others === 0) short.delete(ownerId);
        else short.set(ownerId, others);
      }
    },
  };
}

function costOf(size: WorkSize): number {
  return size === "short" ? 1 : SHORT_A_TURN;
}

function never(): boolean {
  return false;
}
