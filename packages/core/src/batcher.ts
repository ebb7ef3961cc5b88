import { afterTurn } from "./clock.ts";

/** How a batcher sends its items. */
export interface BatcherOptions<Item, Answer> {
  /** Sends one group; answers in the order of its items, an `Error` to reject one. A rejection rejects the whole group. */
  readonly send: (items: readonly Item[]) => Promise<readonly (Answer | Error)[]>;
  /** What an item counts for in `maxWeight`. */
  readonly weigh: (item: Item) => number;
  /** A group ends before this weight is passed, but holds one item at least. */
  readonly maxWeight: number;
  readonly maxItems: number;
  /** Called with the queue's weight before an item is added; throws to refuse it. */
  readonly admit?: (queuedWeight: number) => void;
}

/** Gathers single calls into groups. */
export interface Batcher<Item, Answer> {
  /** Resolves with the item's answer. Items are sent in the order of their calls. */
  add(item: Item): Promise<Answer>;
  /** Resolves when nothing is queued or in flight. */
  idle(): Promise<void>;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly weight: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: one group is in flight at a time, and what arrives meanwhile goes out together as the next. The first
 * group waits for the end of the event loop's turn, so callers of one turn share it.
 *
 * Between an `add` and its `send` other items may join; between a `send` and its answer more may queue. Neither changes
 * the order, since the queue is cut from its front only and never while a group is in flight.
 */
export function createBatcher<Item, Answer>(
  options: BatcherOptions<Item, Answer>,
): Batcher<Item, Answer> {
  let queue: Waiting<Item, Answer>[] = [];
  let queuedWeight = 0;
  let running = false;
  let onIdle: (() => void)[] = [];

  function cutGroup(): Waiting<Item, Answer>[] {
    let weight = 0;
    let count = 0;
    for (const { weight: next } of queue) {
      if (count > 0 && (count === options.maxItems || weight + next > options.maxWeight)) break;
      weight += next;
      count += 1;
    }
    const group = count === queue.length ? queue : queue.slice(0, count);
    queue = count === queue.length ? [] : queue.slice(count);
    queuedWeight -= weight;
    return group;
  }

  async function sendGroup(group: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await options.send(group.map((waiting) => waiting.item));
      group.forEach(({ resolve, reject }, index) => {
        const answer = answers[index];
        if (answer === undefined)
          reject(new TypeError("Expected an answer for each item of a group."));
        else if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
    } catch (error) {
      for (const waiting of group) waiting.reject(error);
    }
  }

  async function run(): Promise<void> {
    while (queue.length > 0) await sendGroup(cutGroup());
    running = false;
    const waiters = onIdle;
    onIdle = [];
    for (const resolve of waiters) resolve();
  }

  return {
    add(item) {
      return new Promise<Answer>((resolve, reject) => {
        options.admit?.(queuedWeight);
        const weight = options.weigh(item);
        queue.push({ item, weight, resolve, reject });
        queuedWeight += weight;
        if (running) return;
        running = true;
        afterTurn(() => void run());
      });
    },
    idle: () => (running ? new Promise((resolve) => onIdle.push(resolve)) : Promise.resolve()),
  };
}
