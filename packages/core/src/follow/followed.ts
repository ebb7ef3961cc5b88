import { storeClosed } from "../rules/errors.ts";
import type { Clock } from "../time/clock.ts";

/**
 * The shortest time between two rounds, in milliseconds. In a round everything that is followed is read without a notification, so that a
 * lost one costs only time.
 * @see clause S13 in `STORE.md`
 */
const ROUND_MS = 5_000;
/**
 * The number of items that a round reads each second, so a round of many takes longer than `ROUND_MS`. The rate is low, since these reads are
 * most of the cost of many quiet streams.
 */
const READ_AT_ONCE = 50;
const TICK_MS = 1_000;

/** A run or a list that readers of a process share. */
interface Shared {
  /** Reads it again. @param isRecheck that no notification has come */
  refresh(isRecheck: true): void;
  fail(error: unknown): void;
}

/** The runs or the lists that a process follows, by name. One timer serves all, while there are any. */
export abstract class Followed<Item extends Shared> {
  readonly #clock: Clock;
  readonly #items = new Map<string, Item>();
  /** The items that are still to be read in this round. */
  #round: Item[] = [];
  #roundAtMs = 0;
  #stop: (() => void) | null = null;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The item of this name.
   * @param make makes an item that is not followed yet; it calls `onOver` once it takes no more readers
   * @throws RunEventsError `store_unavailable` after `close`
   */
  protected share(name: string, make: (onOver: () => void) => Item): Item {
    if (this.#isClosed) throw storeClosed();
    const existing = this.#items.get(name);
    if (existing !== undefined) return existing;
    const item = make(() => {
      this.#items.delete(name);
      if (this.#items.size === 0) this.#stopRounds();
    });
    this.#items.set(name, item);
    if (this.#stop === null) {
      this.#roundAtMs = this.#clock.now();
      this.#stop = this.#clock.every(TICK_MS, () => this.#tick());
    }
    return item;
  }

  /** Ends all readers with `store_unavailable`, and every timer and subscription. Idempotent; opens nothing afterwards. */
  close(): void {
    this.#isClosed = true;
    for (const item of this.#items.values()) item.fail(storeClosed());
  }

  #tick(): void {
    const nowMs = this.#clock.now();
    if (this.#round.length === 0 && nowMs - this.#roundAtMs >= ROUND_MS) {
      this.#roundAtMs = nowMs;
      this.#round = [...this.#items.values()];
    }
    for (const item of this.#round.splice(0, READ_AT_ONCE)) item.refresh(true);
  }

  #stopRounds(): void {
    this.#stop?.();
    this.#stop = null;
    this.#round = [];
  }
}
