import { afterTurn } from "../time/clock.ts";

/**
 * The number of turns of the event loop between a piece of work and the next one. A `short` one, such as a create, is a transaction of its
 * own. A `large` one blocks for up to 20 milliseconds, so that small appends, which need up to six turns, come in between.
 */
const FREE_TURNS = { short: 0, large: 8 } as const;

/** The size of a piece of work. */
export type WorkSize = keyof typeof FREE_TURNS;

/** The one place where work gives way to appends and small reads, which never wait here. */
export interface Turns {
  /**
   * Resolves when the owner may do one piece of work, such as parsing a body or encoding a part of a page. Owners that wait take turns:
   * a piece waits for one piece of each other owner, however many those have.
   * @see clause W49 in `WIRE.md` of `@tm/run-events-http`
   */
  take(ownerId: string, size: WorkSize): Promise<void>;
}

interface Waiting {
  readonly size: WorkSize;
  readonly go: () => void;
}

/** Makes the turns of one handler. An owner who does not wait takes no memory, and without work the event loop is left alone. */
export function createTurns(): Turns {
  /** The owners in the order of their turns. No list is empty. */
  const waiting = new Map<string, Waiting[]>();
  let isTicking = false;
  let freeTurns = 0;

  function goNext(): boolean {
    for (const [ownerId, mine] of waiting) {
      const next = mine.shift();
      waiting.delete(ownerId);
      // At the end of the queue.
      if (mine.length > 0) waiting.set(ownerId, mine);
      if (next === undefined) continue;
      freeTurns = FREE_TURNS[next.size];
      next.go();
      return true;
    }
    return false;
  }

  function tick(): void {
    if (freeTurns > 0) freeTurns -= 1;
    else if (!goNext()) {
      isTicking = false;
      return;
    }
    afterTurn(tick);
  }

  return {
    take(ownerId, size) {
      return new Promise((resolve) => {
        const mine = waiting.get(ownerId);
        if (mine === undefined) waiting.set(ownerId, [{ size, go: resolve }]);
        else mine.push({ size, go: resolve });
        if (isTicking) return;
        isTicking = true;
        afterTurn(tick);
      });
    },
  };
}
