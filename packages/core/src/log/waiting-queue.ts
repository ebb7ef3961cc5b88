import type { Clock } from "../time/clock.ts";

/** How long the queue counts as shared after items of two owners came one after the other, in milliseconds. */
const SHARED_MS = 1_000;

/** The parts of a waiting item that decide how a group is cut. */
export interface WaitingItem {
  /** Items of one key are cut in the order in which they came. The items of one key have one owner. */
  readonly key: string;
  readonly owner: string;
  readonly weight: number;
}

/** The bounds of the next group. */
export interface CutBounds {
  /** Keys that are in flight: their items wait. */
  readonly busy: ReadonlyMap<string, unknown>;
  readonly maxItems: number;
  /** A group ends before this weight is passed, but holds one item at least. */
  readonly maxWeight: number;
  /** The same while several owners share the queue: each waits while another's group is under way. */
  readonly sharedWeight: number;
}

/** The items of one owner that wait, in the order of arrival. */
interface Waiting<Item> {
  readonly items: Item[];
  weight: number;
  /** Whether the last group took none of them. */
  hasWaited: boolean;
}

/** The items that wait for the next groups. An owner with nothing in it takes no memory. */
export class WaitingQueue<Item extends WaitingItem> {
  readonly #clock: Clock;
  /** In the order in which they arrived, or last had items in a group. */
  readonly #owners = new Map<string, Waiting<Item>>();
  #length = 0;
  #weight = 0;
  #lastOwner: string | null = null;
  #sharedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get length(): number {
    return this.#length;
  }

  get weight(): number {
    return this.#weight;
  }

  /** The share of the weight that is this owner's. */
  weightOf(owner: string): number {
    return this.#owners.get(owner)?.weight ?? 0;
  }

  add(item: Item): void {
    const { owner, weight } = item;
    const waiting = this.#owners.get(owner);
    if (waiting === undefined) this.#owners.set(owner, { items: [item], weight, hasWaited: false });
    else {
      waiting.items.push(item);
      waiting.weight += weight;
    }
    this.#length += 1;
    this.#weight += weight;
    // Two owners that add in turns share the queue, even if neither has to wait.
    const isOther = this.#lastOwner !== null && this.#lastOwner !== owner;
    if (isOther) this.#sharedUntilMs = this.#clock.now() + SHARED_MS;
    this.#lastOwner = owner;
  }

  /**
   * Removes and returns the next group; an empty one if all keys are busy. Owners take turns, an item each, until nothing more fits. If the
   * next item of an owner does not fit, it is left with all that follow it, and the others go on.
   */
  cut({ busy, maxItems, maxWeight, sharedWeight }: CutBounds): readonly Item[] {
    const isShared = this.#clock.now() < this.#sharedUntilMs;
    const most = isShared ? Math.min(maxWeight, sharedWeight) : maxWeight;
    const turns = [...this.#owners].map(([owner, waiting]) => {
      const { items } = waiting;
      const ready = busy.size === 0 ? items : items.filter(({ key }) => !busy.has(key));
      return { owner, waiting, ready, taken: 0, isDone: false };
    });
    if (turns.length > 1) turns.sort((a, b) => turnOf(a.waiting) - turnOf(b.waiting));
    let count = 0;
    let weight = 0;
    let left = turns.length;
    for (let at = 0; left > 0; at = (at + 1) % turns.length) {
      const turn = turns[at];
      if (turn === undefined || turn.isDone) continue;
      const next = turn.ready[turn.taken];
      const isFull = count === maxItems;
      if (next === undefined || isFull || (count > 0 && weight + next.weight > most)) {
        turn.isDone = true;
        left -= 1;
        continue;
      }
      turn.taken += 1;
      count += 1;
      weight += next.weight;
    }
    return turns.flatMap(({ owner, waiting, ready, taken }) => {
      waiting.hasWaited = taken === 0;
      return this.#take(owner, waiting, ready.slice(0, taken));
    });
  }

  /** Removes items of an owner, who then has the last turn. */
  #take(owner: string, waiting: Waiting<Item>, taken: readonly Item[]): readonly Item[] {
    if (taken.length === 0) return taken;
    const weight = taken.reduce((sum, item) => sum + item.weight, 0);
    this.#length -= taken.length;
    this.#weight -= weight;
    this.#owners.delete(owner);
    if (taken.length === waiting.items.length) return taken;
    const gone = new Set(taken);
    const items = waiting.items.filter((item) => !gone.has(item));
    this.#owners.set(owner, { items, weight: waiting.weight - weight, hasWaited: false });
    return taken;
  }
}

/** Items that have waited come first, then light ones, so that a small append does not wait for a large one that came at the same time. */
function turnOf({ items, hasWaited }: Waiting<WaitingItem>): number {
  return hasWaited ? -1 : (items[0]?.weight ?? 0);
}
