import { afterThis, afterTurn, type Clock } from "../time/clock.ts";
import type { WaitingItem } from "./plan-group.ts";
import { WaitingQueue } from "./waiting-queue.ts";

/** How long a group may keep the next ones waiting, in milliseconds: longer than a healthy store takes. */
const LATE_MS = 250;
/** How many late groups others may pass. */
const MOST_LATE = 4;
/** How many groups may keep some of their items at once. */
const MOST_KEPT = 16;
/** The fewest items of a group before it leaves items for another group: each group has a cost. */
const LEAST_SHARE = 16;

/** Answers one item of a group, by its index; an `Error` rejects it. Only the first answer counts. */
export type Settle<Answer> = (index: number, answer: Answer | Error) => void;

/** How a group that is being sent answers. */
export interface Sending<Answer> {
  readonly settle: Settle<Answer>;
  /** Only these items, by their indexes, need longer: the next group may be sent, and the keys of all others are free. */
  keep(indexes: readonly number[]): void;
}

/** How a batcher sends its items. */
export interface BatcherOptions<Item, Answer> {
  /** Sends one group and settles its items, each as soon as its answer is known. A rejection rejects the items without an answer. */
  readonly send: (items: readonly Item[], sending: Sending<Answer>) => Promise<void>;
  /** Items with the same key are never in flight in two groups. */
  readonly keyOf: (item: Item) => string;
  /** The owner of an item. Waiting owners share the groups evenly, even if one adds more. */
  readonly ownerOf: (item: Item) => string;
  /** The weight of an item in `maxWeight`. */
  readonly weigh: (item: Item) => number;
  /** How many groups may be in flight, besides late ones. The waiting items are divided among those that may start. */
  readonly groupsAtOnce: number;
  /** A group ends before this weight is passed, but holds one item at least. */
  readonly maxWeight: number;
  /** The same while several owners share the queue, so that none waits long for another's group. */
  readonly sharedWeight: number;
  readonly maxItems: number;
  /**
   * Whether an item waits only for the callers of this moment, and not for the end of the turn: it seldom has company.
   * @defaultValue no item
   */
  readonly isUrgent?: (item: Item) => boolean;
  /** Called before an item is added, with the weight of the queue and of its owner's part. It throws to refuse the item. */
  readonly admit?: (queuedWeight: number, owner: string, ownersWeight: number, item: Item) => void;
  readonly clock: Clock;
}

interface Waiting<Item, Answer> extends WaitingItem {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

type Group<Item, Answer> = readonly Waiting<Item, Answer>[];

/**
 * Group commit: gathers single calls into groups. A few groups are in flight at a time; items that arrive meanwhile are sent together
 * in the next. A group waits for the end of the event loop's turn, so that callers of one turn share it. If there are several callers,
 * it waits for one more turn. A group can be late, since a run is locked or a connection is dead. It then holds up only its own keys:
 * the next group is sent while it is under way.
 *
 * | an item is | event                                  | then it is | what happens                                     |
 * | ---------- | -------------------------------------- | ---------- | ------------------------------------------------ |
 * | new        | `add`                                  | waiting    | a sending is scheduled, if its key is free       |
 * | new        | `add`, not admitted                    | over       | it rejects; the others keep waiting              |
 * | waiting    | the turn ends, a group may start       | prompt     | its group is cut and sent; its key is busy       |
 * | waiting    | its key is busy, or no group may start | waiting    | the next group that ends schedules a sending     |
 * | prompt     | `LATE_MS` pass                         | late       | its group is not waited for: the next is sent    |
 * | prompt     | its answer comes                       | answered   | it settles; the key is busy until the group ends |
 * | late       | its answer comes                       | answered   | the same                                         |
 * | answered   | its group ends                         | over       | the keys are free; a sending is scheduled        |
 * | prompt     | its group ends without its answer      | over       | it rejects; otherwise the same                   |
 * | late       | its group ends without its answer      | over       | the same                                         |
 *
 * Between an `add` and its `send` other items may join. Between a `send` and its answer more may queue. Neither changes the order
 * of a key's items: a group takes each owner's items from the front, without those whose keys are busy.
 */
export class Batcher<Item, Answer> {
  readonly #options: BatcherOptions<Item, Answer>;
  readonly #queue: WaitingQueue<Waiting<Item, Answer>>;
  #isScheduled = false;
  #isHurried = false;
  /** Whether an urgent item has come since the last sending. */
  #isUrgent = false;
  /** The groups in flight that the next one waits for. */
  #prompt: readonly Group<Item, Answer>[] = [];
  /** The groups in flight that others may pass. */
  #late: readonly Group<Item, Answer>[] = [];
  /** What groups in flight have kept, which others may pass. */
  #kept: readonly Group<Item, Answer>[] = [];
  /**
   * The keys of all. This set and the lists are replaced at each change. Otherwise V8 would keep every append that was in the set
   * until its next full collection.
   */
  #busy: ReadonlySet<string> = new Set();
  #onIdle: (() => void)[] = [];

  constructor(options: BatcherOptions<Item, Answer>) {
    this.#options = options;
    this.#queue = new WaitingQueue(options.clock);
  }

  /** Resolves with the item's answer. Items of one key are sent in the order of their calls. */
  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { ownerOf, admit, weigh, keyOf, isUrgent } = this.#options;
      const owner = ownerOf(item);
      admit?.(this.#queue.weight, owner, this.#queue.weightOf(owner), item);
      const key = keyOf(item);
      this.#queue.add({ item, key, owner, weight: weigh(item), resolve, reject });
      this.#isUrgent ||= isUrgent?.(item) === true;
      // Otherwise a group that ends schedules the waiting items.
      if (this.#groupsLeft() > 0 && !this.#busy.has(key)) this.#wake();
    });
  }

  /** How many items wait for the next groups. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Resolves when nothing is queued or in flight. */
  idle(): Promise<void> {
    return this.#isIdle()
      ? Promise.resolve()
      : new Promise((resolve) => void this.#onIdle.push(resolve));
  }

  #isIdle(): boolean {
    return [...this.#prompt, ...this.#late, ...this.#kept].length === 0 && this.#queue.length === 0;
  }

  #groupsLeft(): number {
    return this.#options.groupsAtOnce - this.#prompt.length;
  }

  /** Sends what waits: after this moment if something of it is urgent, else at the end of the turn. */
  #wake(): void {
    if (!this.#isUrgent) return this.#schedule();
    if (this.#isHurried) return;
    this.#isHurried = true;
    afterThis(() => {
      this.#isHurried = false;
      this.#isUrgent = false;
      this.#sendNext();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    afterTurn(() => {
      // If several items came in one turn, more are on their way: their clients got their answers from one commit. They share a
      // group if it waits one more turn. A single item does not wait, and neither does a full group.
      const ready = this.#queue.countReady(this.#busy);
      if (ready > 1 && ready < this.#options.maxItems) afterTurn(() => this.#sendScheduled());
      else this.#sendScheduled();
    });
  }

  #sendScheduled(): void {
    this.#isScheduled = false;
    this.#sendNext();
  }

  #sendNext(): void {
    while (this.#queue.length > 0 && this.#maySend()) {
      const group = this.#cut();
      if (group.length === 0) return;
      this.#start(group);
    }
  }

  #maySend(): boolean {
    return this.#groupsLeft() > 0 && this.#late.length < MOST_LATE && this.#kept.length < MOST_KEPT;
  }

  #cut(): Group<Item, Answer> {
    const { maxItems, maxWeight, sharedWeight } = this.#options;
    const share = Math.ceil(this.#queue.countReady(this.#busy) / this.#groupsLeft());
    const most = Math.min(maxItems, Math.max(share, LEAST_SHARE));
    return this.#queue.cut({ busy: this.#busy, maxItems: most, maxWeight, sharedWeight });
  }

  #start(group: Group<Item, Answer>): void {
    this.#prompt = [...this.#prompt, group];
    this.#listBusy();
    let kept = group;
    const stopTimer = this.#options.clock.every(LATE_MS, () => {
      stopTimer();
      this.#prompt = without(this.#prompt, group);
      this.#late = [...this.#late, group];
      this.#sendNext();
    });
    const keep = (indexes: readonly number[]): void => {
      if (kept !== group) return;
      stopTimer();
      this.#drop(group);
      kept = indexes.flatMap((index) => group[index] ?? []);
      this.#kept = [...this.#kept, kept];
      this.#listBusy();
      if (this.#queue.length > 0) this.#wake();
    };
    void this.#send(group, keep).then(() => {
      stopTimer();
      this.#drop(group);
      this.#kept = without(this.#kept, kept);
      this.#listBusy();
      if (this.#queue.length > 0) this.#wake();
      if (this.#isIdle()) this.#settleIdle();
    });
  }

  #drop(group: Group<Item, Answer>): void {
    this.#prompt = without(this.#prompt, group);
    this.#late = without(this.#late, group);
  }

  async #send(group: Group<Item, Answer>, keep: Sending<Answer>["keep"]): Promise<void> {
    const answered = new Uint8Array(group.length);
    try {
      await this.#options.send(
        group.map(({ item }) => item),
        {
          settle: (index, answer) => {
            answered[index] = 1;
            if (answer instanceof Error) group[index]?.reject(answer);
            else group[index]?.resolve(answer);
          },
          keep,
        },
      );
      group.forEach(({ reject }, index) => {
        // An error is made only if one is needed, since taking its stack is more work than all the rest.
        if (answered[index] === 0)
          reject(
            new TypeError(
              "Expected an answer for each item of a group, got fewer. Correct the store's adapter.",
            ),
          );
      });
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  #listBusy(): void {
    const groups = [...this.#prompt, ...this.#late, ...this.#kept];
    this.#busy = new Set(groups.flatMap((group) => group.map(({ key }) => key)));
  }

  #settleIdle(): void {
    const waiters = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiters) resolve();
  }
}

function without<Value>(values: readonly Value[], one: Value): readonly Value[] {
  return values.filter((value) => value !== one);
}
