import { afterTurn } from "@tm/run-events-core/wire";

/** How many short pieces of work fit into one turn of the event loop: a create takes some 0.3 ms on SQLite, plus a commit. */
const SHORT_A_TURN = 2;

/** The size of a piece of work: `large` has the event loop alone for some 10 ms at most; `short` shares a turn. */
export type WorkSize = "short" | "large";

/** Runs separate work in turns of the event loop, so that appends and short answers come in between. */
export interface Turns {
  /**
   * Resolves when it is the caller's turn to go on, and at once if this one has room.
   * @param isOver whether the work is not wanted any more; then it takes no part of a turn
   * @see W49
   */
  take(ownerId: string, size: WorkSize, isOver?: () => boolean): Promise<void>;
}

interface Waiting {
  readonly cost: number;
  readonly isOver: () => boolean;
  readonly resolve: () => void;
}

/**
 * Makes turns that owners share: each piece waits for one piece of every other waiting owner, however many those have. Without
 * turns, work that arrives together runs in one go, and all owners wait for the last piece.
 */
export function createTurns(): Turns {
  /** In the order in which the owners are next. */
  const waiting = new Map<string, readonly Waiting[]>();
  let left = SHORT_A_TURN;
  let isTicking = false;

  function tick(): void {
    left = SHORT_A_TURN;
    for (let next = takeNext(); next !== null; next = takeNext()) next.resolve();
    if (left < SHORT_A_TURN) afterTurn(tick);
    else isTicking = false;
  }

  /** The next piece that the turn has room for. Lets those before it go that are over. */
  function takeNext(): Waiting | null {
    for (const [ownerId, pieces] of waiting) {
      const [next, ...rest] = withoutOver(pieces);
      if (next === undefined) {
        waiting.delete(ownerId);
        continue;
      }
      if (next.cost > left) return null;
      waiting.delete(ownerId);
      // At the end of the queue.
      if (rest.length > 0) waiting.set(ownerId, rest);
      left -= next.cost;
      return next;
    }
    return null;
  }

  return {
    take(ownerId, size, isOver = never) {
      const cost = size === "large" ? SHORT_A_TURN : 1;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(ownerId, [...(waiting.get(ownerId) ?? []), { cost, isOver, resolve }]);
      takeNext()?.resolve();
      if (!isTicking) {
        isTicking = true;
        afterTurn(tick);
      }
      return promise;
    },
  };
}

/** The pieces from the first on that is still wanted. Those before it go on at once. */
function withoutOver(pieces: readonly Waiting[]): readonly Waiting[] {
  const first = pieces.findIndex(({ isOver }) => !isOver());
  const over = first === -1 ? pieces : pieces.slice(0, first);
  for (const { resolve } of over) resolve();
  return pieces.slice(over.length);
}

function never(): boolean {
  return false;
}
