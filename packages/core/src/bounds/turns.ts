import { afterTurn } from "../time/clock.ts";

/**
 * The number of turns of the event loop between a piece of work and the next one. A `short` one, such as a create, is a transaction of its
 * own. A `large` one blocks for up to 20 milliseconds, so that small appends, which need up to six turns, come in between.
 */
const FREE_TURNS = { short: 0, large: 8 } as const;

/** The size of a piece of work. */
export type WorkSize = keyof typeof FREE_TURNS;

interface Waiting {
  readonly size: WorkSize;
  readonly go: () => void;
}

/**
 * The one place of a handler where work gives way to appends and small reads, which never wait here. An owner who does not wait takes no
 * memory, and without work the event loop is left alone.
 */
export class Turns {
  /** The owners in the order of their turns. No list is empty. */
  readonly #waiting = new Map<string, Waiting[]>();
  #isTicking = false;
  #freeTurns = 0;

  /**
   * Resolves when the owner may do one piece of work, such as parsing a body or encoding a part of a page. Owners that wait take turns:
   * a piece waits for one piece of each other owner, however many those have.
   * @see clause W49 in `WIRE.md` of `@tm/run-events-http`
   */
  take(ownerId: string, size: WorkSize): Promise<void> {
    return new Promise((go) => {
      const mine = this.#waiting.get(ownerId);
      if (mine === undefined) this.#waiting.set(ownerId, [{ size, go }]);
      else mine.push({ size, go });
      if (this.#isTicking) return;
      this.#isTicking = true;
      afterTurn(() => this.#tick());
    });
  }

  #tick(): void {
    if (this.#freeTurns > 0) this.#freeTurns -= 1;
    else if (!this.#goNext()) {
      this.#isTicking = false;
      return;
    }
    afterTurn(() => this.#tick());
  }

  #goNext(): boolean {
    for (const [ownerId, mine] of this.#waiting) {
      const next = mine.shift();
      this.#waiting.delete(ownerId);
      // At the end of the queue.
      if (mine.length > 0) this.#waiting.set(ownerId, mine);
      if (next === undefined) continue;
      this.#freeTurns = FREE_TURNS[next.size];
      next.go();
      return true;
    }
    return false;
  }
}
