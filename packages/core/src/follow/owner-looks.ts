import { nextTurn } from "../time/clock.ts";

/**
 * The looks of one process at its owners' lists. An owner may watch many topics, and ask for them at once. So an owner has one look under
 * way, of any topic, and the event loop has a turn before the next.
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export class OwnerLooks {
  /** The end of each owner's last look. It never rejects. */
  readonly #last = new Map<string, Promise<void>>();

  /** Looks after the owner's other looks. */
  async take(ownerId: string, look: () => Promise<void>): Promise<void> {
    const before = this.#last.get(ownerId);
    const mine = before === undefined ? look() : before.then(nextTurn).then(look);
    const ended = mine.catch(() => {});
    this.#last.set(ownerId, ended);
    try {
      await mine;
    } finally {
      if (this.#last.get(ownerId) === ended) this.#last.delete(ownerId);
    }
  }
}
