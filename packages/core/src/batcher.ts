import { afterTurn, type Clock } from "./clock.ts";

/** How long a group may keep the ones behind it waiting, in milliseconds: longer than a healthy store takes. */
const LATE_MS = 250;
/** How many groups may be in flight once some are late. */
const MOST_IN_FLIGHT = 4;

/** Answers one item of a group, by its index; an `Error` rejects it. Only the first answer counts. */
export type Settle<Answer> = (index: number, answer: Answer | Error) => void;

/** How a batcher sends its items. */
export interface BatcherOptions<Item, Answer> {
  /** Sends one group and settles its items, each as soon as its answer is known. A rejection rejects those without one. */
  readonly send: (items: readonly Item[], settle: Settle<Answer>) => Promise<void>;
  /** Items with the same key are never in flight in two groups. */
  readonly keyOf: (item: Item) => string;
  /** What an item counts for in `maxWeight`. */
  readonly weigh: (item: Item) => number;
  /** A group ends before this weight is passed, but holds one item at least. */
  readonly maxWeight: number;
  readonly maxItems: number;
  /** Called with the queue's weight before an item is added; throws to refuse it. */
  readonly admit?: (queuedWeight: number) => void;
  readonly clock: Clock;
}

/** Gathers single calls into groups. */
export interface Batcher<Item, Answer> {
  /** Resolves with the item's answer. Items of one key are sent in the order of their calls. */
  add(item: Item): Promise<Answer>;
  /** Resolves when nothing is queued or in flight. */
  idle(): Promise<void>;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly key: string;
  readonly weight: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: one group is in flight at a time, and what arrives meanwhile goes out together as the next. The first
 * group waits for the end of the event loop's turn, so callers of one turn share it. A group that is late, since one run is
 * locked or one connection is dead, holds up its own keys alone: the others' next group goes out beside it.
 *
 * Between an `add` and its `send` other items may join; between a `send` and its answer more may queue. Neither changes
 * the order of a key's items: the queue is cut from its front, past the keys that are in flight and no others.
 */
export function createBatcher<Item, Answer>(
  options: BatcherOptions<Item, Answer>,
): Batcher<Item, Answer> {
  type Group = readonly Waiting<Item, Answer>[];
  let queue: Waiting<Item, Answer>[] = [];
  let queuedWeight = 0;
  let isScheduled = false;
  /** The group that the next one waits for. */
  let line: Group | null = null;
  const late = new Set<Group>();
  let onIdle: (() => void)[] = [];

  function cutGroup(): Group {
    const busy = new Set([...late].flatMap((group) => group.map(({ key }) => key)));
    const group: Waiting<Item, Answer>[] = [];
    const rest: Waiting<Item, Answer>[] = [];
    let weight = 0;
    let isFull = false;
    for (const waiting of queue) {
      isFull ||=
        group.length > 0 &&
        (group.length === options.maxItems || weight + waiting.weight > options.maxWeight);
      if (isFull || busy.has(waiting.key)) {
        rest.push(waiting);
        continue;
      }
      group.push(waiting);
      weight += waiting.weight;
    }
    queue = rest;
    queuedWeight -= weight;
    return group;
  }

  async function sendGroup(group: Group): Promise<void> {
    try {
      await options.send(
        group.map(({ item }) => item),
        (index, answer) => {
          if (answer instanceof Error) group[index]?.reject(answer);
          else group[index]?.resolve(answer);
        },
      );
      for (const { reject } of group)
        reject(new TypeError("Expected an answer for each item of a group."));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  function sendNext(): void {
    if (line !== null || late.size === MOST_IN_FLIGHT) return;
    const group = cutGroup();
    if (group.length === 0) return;
    line = group;
    const stopWatch = options.clock.every(LATE_MS, () => {
      stopWatch();
      line = null;
      late.add(group);
      sendNext();
    });
    void sendGroup(group).then(() => {
      stopWatch();
      late.delete(group);
      if (line === group) line = null;
      if (queue.length > 0) sendNext();
      if (line === null && late.size === 0 && queue.length === 0) settleIdle();
    });
  }

  function settleIdle(): void {
    const waiters = onIdle;
    onIdle = [];
    for (const resolve of waiters) resolve();
  }

  return {
    add(item) {
      return new Promise<Answer>((resolve, reject) => {
        options.admit?.(queuedWeight);
        const weight = options.weigh(item);
        queue.push({ item, key: options.keyOf(item), weight, resolve, reject });
        queuedWeight += weight;
        if (isScheduled || line !== null) return;
        isScheduled = true;
        afterTurn(() => {
          isScheduled = false;
          sendNext();
        });
      });
    },
    idle() {
      const isIdle = line === null && late.size === 0 && queue.length === 0;
      return isIdle ? Promise.resolve() : new Promise((resolve) => onIdle.push(resolve));
    },
  };
}
