import type { Clock } from "../time/clock.ts";
import { planGroup, type WaitingItem } from "./plan-group.ts";

/** For how long the queue counts as shared once items of two owners have followed each other, in milliseconds. */
const SHARED_MS = 1_000;

/** The bounds of the next group. */
export interface CutBounds {
  /** Keys that are in flight: their items wait. */
  readonly busy: ReadonlySet<string>;
  readonly maxItems: number;
  readonly maxWeight: number;
  /** The most weight while several owners share the queue: each waits while another's group is under way. */
  readonly sharedWeight: number;
}

/** The items of one owner that wait, in the order of arrival. */
interface Waiting<Item> {
  readonly items: Item[];
  weight: number;
  /** Whether the last group had none of them, though it might have. */
  hasWaited: boolean;
}

/** The items that wait for the next groups. An owner with nothing in it takes no memory. */
export class WaitingQueue<Item extends WaitingItem> {
  readonly #clock: Clock;
  /** In the order in which they came, or were in a group. */
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

  /** How much of the weight is this owner's. */
  weightOf(owner: string): number {
    return this.#owners.get(owner)?.weight ?? 0;
  }

  /** How many items could be in a group now. */
  countReady(busy: ReadonlySet<string>): number {
    if (busy.size === 0) return this.#length;
    let ready = 0;
    for (const { items } of this.#owners.values())
      for (const { key } of items) if (!busy.has(key)) ready += 1;
    return ready;
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

  /** Removes and returns the next group; an empty one if all keys are busy. `planGroup` decides whose items it holds. */
  cut({ busy, maxItems, maxWeight, sharedWeight }: CutBounds): readonly Item[] {
    const isShared = this.#clock.now() < this.#sharedUntilMs;
    const most = isShared ? Math.min(maxWeight, sharedWeight) : maxWeight;
    const owners = [...this.#owners];
    if (owners.length > 1) owners.sort(([, a], [, b]) => turnOf(a) - turnOf(b));
    const ready = owners.map(([, { items }]) =>
      busy.size === 0 ? items : items.filter(({ key }) => !busy.has(key)),
    );
    const counts = planGroup(ready, { maxItems, maxWeight: most });
    return owners.flatMap(([owner, waiting], at) => {
      const taken = ready[at]?.slice(0, counts[at]) ?? [];
      waiting.hasWaited = taken.length === 0;
      return this.#take(owner, taken);
    });
  }

  /** Removes the items of an owner, who then has the last turn. */
  #take(owner: string, taken: readonly Item[]): readonly Item[] {
    const waiting = this.#owners.get(owner);
    if (waiting === undefined || taken.length === 0) return taken;
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

/** Those who have waited come first, then light items: a small append does not wait for a large one that came at the same time. */
function turnOf({ items, hasWaited }: Waiting<WaitingItem>): number {
  return hasWaited ? -1 : (items[0]?.weight ?? 0);
}
