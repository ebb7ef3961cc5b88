import { afterTurn } from "@tm/run-events-core/wire";
import { createOwnerQueue, type WaitingItem } from "./owner-queue.ts";

/** How many short pieces of work fit into one turn of the event loop: a create takes some 0.3 ms on SQLite, plus a commit. */
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
   * Resolves when it is the caller's turn to go on. That is at once if this turn has room, but never for the largest work. That waits
   * until no other owner's short request is at work, for 8 turns at most. So a short request waits only for the piece that has begun.
   * @param isOver whether nothing needs the work any more; then it takes no part of a turn
   * @see W49
   */
  take(ownerId: string, size: WorkSize, isOver?: () => boolean): Promise<void>;
  /** Does a short request's work. Meanwhile the largest work of other owners gives way. */
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

  /** Whether a piece may go: only the largest work has to give way. */
  function mayGo({ size }: Waiting, ownerId: string): boolean {
    return size !== "largest" || waits >= MOST_WAITS || short.size === (short.has(ownerId) ? 1 : 0);
  }

  /** Lets the next piece go that may, if the turn has room for it. @returns whether one went */
  function goNext(may: typeof mayGo): boolean {
    let isFull = false;
    const next = queue.take((piece, ownerId) => {
      if (isFull || !may(piece, ownerId)) return false;
      // No later piece may overtake it.
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
