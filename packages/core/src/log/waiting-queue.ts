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
  readonly sharedWeight: number;
}

/** The items that wait for the next groups, in the order of arrival, with the weight of each owner's part. */
export class WaitingQueue<Item extends WaitingItem> {
  readonly #clock: Clock;
  #items: Item[] = [];
  #weight = 0;
  /** The weight by owner. */
  readonly #owned = new Map<string, number>();
  #turns: ReadonlyMap<string, number> = new Map();
  #turn = 0;
  #lastOwner: string | null = null;
  #sharedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get length(): number {
    return this.#items.length;
  }

  get weight(): number {
    return this.#weight;
  }

  /** How much of the weight is this owner's. */
  weightOf(owner: string): number {
    return this.#owned.get(owner) ?? 0;
  }

  /** How many items could be in a group now. */
  countReady(busy: ReadonlySet<string>): number {
    if (busy.size === 0) return this.#items.length;
    let ready = 0;
    for (const { key } of this.#items) if (!busy.has(key)) ready += 1;
    return ready;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#weigh(item.owner, item.weight);
    // Two owners that add in turns share the queue, even if neither has to wait.
    const isOther = this.#lastOwner !== null && this.#lastOwner !== item.owner;
    if (isOther) this.#sharedUntilMs = this.#clock.now() + SHARED_MS;
    this.#lastOwner = item.owner;
  }

  /** Removes and returns the next group; an empty one if all keys are busy. `planGroup` decides whose items it holds. */
  cut(bounds: CutBounds): readonly Item[] {
    this.#turn += 1;
    const { group, rest, turns } = planGroup(this.#items, {
      ...bounds,
      isShared: this.#clock.now() < this.#sharedUntilMs,
      turns: this.#turns,
      turn: this.#turn,
    });
    this.#items = [...rest];
    this.#turns = turns;
    this.#forget(group);
    return group;
  }

  /** Subtracts the weight of a group: once for neighbours of one owner, since a group may hold a thousand items. */
  #forget(group: readonly Item[]): void {
    let from = group[0]?.owner ?? "";
    let left = 0;
    for (const { owner, weight } of group) {
      if (owner !== from) {
        this.#weigh(from, -left);
        from = owner;
        left = 0;
      }
      left += weight;
    }
    this.#weigh(from, -left);
  }

  #weigh(owner: string, change: number): void {
    this.#weight += change;
    const weight = this.weightOf(owner) + change;
    if (weight === 0) this.#owned.delete(owner);
    else this.#owned.set(owner, weight);
  }
}
