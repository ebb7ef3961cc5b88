import { nameKey, type RunName } from "../rules/head.ts";
import { afterThis, afterTurn, type Clock } from "../time/clock.ts";
import { type WaitingItem, WaitingQueue } from "./waiting-queue.ts";

/** The time that a group may keep the next ones waiting, in milliseconds: longer than a healthy store takes. */
const LATE_MS = 250;
/** The number of groups that others may pass at once. */
const MOST_PASSED = 16;
/** While this many are passed, no group is passed for being late: each may hold a connection, and a pool has some ten. */
const MOST_LATE = 4;
/** The fewest items of a group before it leaves items for another group: each group has a cost. */
const LEAST_SHARE = 16;

/** An item of a group that is being sent. */
export interface Sent<Item, Answer> {
  readonly item: Item;
  /** The key of its run. */
  readonly key: string;
  /** Answers the item; an `Error` rejects it. Only the first answer counts. */
  readonly settle: (answer: Answer | Error) => void;
}

export interface BatcherOptions<Item extends RunName, Answer> {
  /**
   * Sends one group and settles its items, each as soon as its answer is known. A rejection rejects the items without an answer.
   * @param pass lets the next group be sent: the items that are not settled take longer
   */
  readonly send: (group: readonly Sent<Item, Answer>[], pass: () => void) => Promise<void>;
  /** The weight of an item in `maxWeight`. */
  readonly weigh: (item: Item) => number;
  /**
   * The number of groups that may be in flight, besides those that others pass. The waiting items are divided among the groups that may still
   * start.
   */
  readonly groupsAtOnce: number;
  /** A group ends before this weight is passed, but holds one item at least. */
  readonly maxWeight: number;
  /**
   * The same while several owners share the queue, so that none waits long for another's group.
   * @defaultValue `maxWeight`
   */
  readonly sharedWeight?: number;
  readonly maxItems: number;
  /**
   * Whether an item waits only for the callers of this moment, and not for the end of the turn, because others seldom join it.
   * @defaultValue no item
   */
  readonly isUrgent?: (item: Item) => boolean;
  /** Called before an item is added, with the weight of the queue and of its owner's part. It throws to refuse the item. */
  readonly admit?: (queuedWeight: number, ownersWeight: number, item: Item) => void;
  readonly clock: Clock;
}

interface Waiting<Item, Answer> extends WaitingItem, Sent<Item, Answer> {
  isOver: boolean;
}

/**
 * Group commit: gathers single calls on runs into groups. A run is the key of its items: those of only one group are in flight at a time. A few groups are in flight at a time; items that arrive meanwhile are sent together
 * in the next. A group waits for the end of the event loop's turn, so that callers of one turn share it. If there are several callers,
 * it waits for one more turn. A group that takes long, since a run is locked or a connection is dead, holds up only the keys of its own
 * items: others pass it.
 *
 * | an item is | event                                  | then it is | what happens                                    |
 * | ---------- | -------------------------------------- | ---------- | ----------------------------------------------- |
 * | new        | `add`                                  | waiting    | a sending is scheduled, if its key is free      |
 * | new        | `add`, not admitted                    | over       | it rejects; the others keep waiting             |
 * | waiting    | the turn ends, a group may start       | in flight  | its group is cut and sent; its key is busy      |
 * | waiting    | its key is busy, or no group may start | waiting    | the next item or group that ends wakes it       |
 * | in flight  | `LATE_MS` pass, or its sender passes   | in flight  | its group is not waited for: the next is sent   |
 * | in flight  | its answer comes                       | over       | it settles; its key is free after its last item |
 * | in flight  | its group ends without its answer      | over       | it rejects; otherwise the same                  |
 *
 * Between an `add` and its `send` other items may join. Between a `send` and its answer more may queue. Neither changes the order
 * of a key's items: a group takes each owner's items from the front, without those whose keys are busy.
 */
export class Batcher<Item extends RunName, Answer> {
  readonly #options: BatcherOptions<Item, Answer>;
  readonly #queue: WaitingQueue<Waiting<Item, Answer>>;
  #isScheduled = false;
  #isHurried = false;
  /** Whether an urgent item has come since the last sending. */
  #isUrgent = false;
  /** The number of groups in flight that the next one waits for. Only counts are kept: V8 would keep a list's groups for long. */
  #prompt = 0;
  /** The number of groups in flight that others pass. */
  #passed = 0;
  /** The number of items of each key that are in flight. */
  readonly #busy = new Map<string, number>();
  #onIdle: (() => void)[] = [];

  constructor(options: BatcherOptions<Item, Answer>) {
    this.#options = options;
    this.#queue = new WaitingQueue(options.clock);
  }

  /** Resolves with the item's answer. Items of one key are sent in the order of their calls. */
  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { admit, weigh, isUrgent } = this.#options;
      const owner = item.ownerId;
      admit?.(this.#queue.weight, this.#queue.weightOf(owner), item);
      const key = nameKey(item);
      const settle = (answer: Answer | Error): void => {
        if (waiting.isOver) return;
        waiting.isOver = true;
        this.#free(key);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      const waiting = { item, key, owner, weight: weigh(item), settle, isOver: false };
      this.#queue.add(waiting);
      this.#isUrgent ||= isUrgent?.(item) === true;
      if (!this.#busy.has(key)) this.#wake();
    });
  }

  /** The number of items that wait for the next groups. */
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
    return this.#prompt + this.#passed + this.#queue.length === 0;
  }

  #maySend(): boolean {
    return this.#prompt < this.#options.groupsAtOnce && this.#passed < MOST_PASSED;
  }

  /** Sends what waits: after this moment if something of it is urgent, else at the end of the turn. */
  #wake(): void {
    if (this.#queue.length === 0 || !this.#maySend()) return;
    if (this.#isUrgent) this.#hurry();
    else this.#schedule();
  }

  #hurry(): void {
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
    const send = (): void => {
      this.#isScheduled = false;
      this.#sendNext();
    };
    afterTurn(() => {
      // If several items came in one turn, more are on their way: their clients got their answers from one commit. They share a
      // group if it waits one more turn. A single item does not wait, and neither does a full group.
      const { length } = this.#queue;
      if (length > 1 && length < this.#options.maxItems) afterTurn(send);
      else send();
    });
  }

  #sendNext(): void {
    const { groupsAtOnce, maxItems, maxWeight, sharedWeight = maxWeight } = this.#options;
    while (this.#queue.length > 0 && this.#maySend()) {
      const busy = this.#busy;
      const share = Math.ceil(this.#queue.length / (groupsAtOnce - this.#prompt));
      const most = Math.min(maxItems, Math.max(share, LEAST_SHARE));
      const group = this.#queue.cut({ busy, maxItems: most, maxWeight, sharedWeight });
      if (group.length === 0) return;
      void this.#send(group);
    }
  }

  async #send(group: readonly Waiting<Item, Answer>[]): Promise<void> {
    for (const { key } of group) this.#busy.set(key, (this.#busy.get(key) ?? 0) + 1);
    let isPrompt = true;
    this.#prompt += 1;
    const pass = (): void => {
      if (!isPrompt) return;
      isPrompt = false;
      stopTimer();
      this.#prompt -= 1;
      this.#passed += 1;
      this.#wake();
    };
    const stopTimer = this.#options.clock.every(LATE_MS, () => {
      if (this.#passed < MOST_LATE) pass();
    });
    try {
      await this.#options.send(group, pass);
      // An error is made only if one is needed, since taking its stack is more work than all the rest.
      for (const waiting of group) if (!waiting.isOver) waiting.settle(noAnswer());
    } catch (error) {
      for (const { settle } of group) settle(error as Error);
    }
    stopTimer();
    if (isPrompt) this.#prompt -= 1;
    else this.#passed -= 1;
    this.#wake();
    if (this.#isIdle()) this.#settleIdle();
  }

  #free(key: string): void {
    const others = (this.#busy.get(key) ?? 0) - 1;
    if (others > 0) this.#busy.set(key, others);
    else {
      this.#busy.delete(key);
      this.#wake();
    }
  }

  #settleIdle(): void {
    const waiters = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiters) resolve();
  }
}

function noAnswer(): TypeError {
  return new TypeError(
    "Expected an answer for each item of a group, got fewer. Correct the store's adapter.",
  );
}
