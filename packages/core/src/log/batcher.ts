import { afterTurn, type Clock } from "../time/clock.ts";
import { planGroup, type WaitingItem } from "./plan-group.ts";

/** How long a group may keep the ones behind it waiting, in milliseconds: longer than a healthy store takes. */
const LATE_MS = 250;
/** How many late groups others may pass. */
const MOST_LATE = 4;
/** A group does not leave items behind for another one before it has so many: each costs something by itself. */
const LEAST_SHARE = 16;
/** For how long the queue counts as shared once items of two owners have followed each other, in milliseconds. */
const SHARED_MS = 1_000;

/** Answers one item of a group, by its index; an `Error` rejects it. Only the first answer counts. */
export type Settle<Answer> = (index: number, answer: Answer | Error) => void;

/** How a batcher sends its items. */
export interface BatcherOptions<Item, Answer> {
  /** Sends one group and settles its items, each as soon as its answer is known. A rejection rejects those without one. */
  readonly send: (items: readonly Item[], settle: Settle<Answer>) => Promise<void>;
  /** Items with the same key are never in flight in two groups. */
  readonly keyOf: (item: Item) => string;
  /** The owner of an item. Waiting owners share the groups evenly, however much each adds. `null` is an owner too. */
  readonly ownerOf: (item: Item) => string | null;
  /** What an item counts for in `maxWeight`. */
  readonly weigh: (item: Item) => number;
  /** How many groups may be in flight, beside late ones. What waits is shared out among those that may start. */
  readonly groupsAtOnce: number;
  /** A group ends before this weight is passed, but holds one item at least. */
  readonly maxWeight: number;
  /** The same while several owners share the queue, so that none waits long for another's group. */
  readonly sharedWeight: number;
  readonly maxItems: number;
  /** Called with the weight of the queue, and of what is the item's owner's in it, before it is added; throws to refuse it. */
  readonly admit?: (queuedWeight: number, owner: string | null, ownersWeight: number) => void;
  readonly clock: Clock;
}

/** Gathers single calls into groups. */
export interface Batcher<Item, Answer> {
  /** Resolves with the item's answer. Items of one key are sent in the order of their calls. */
  add(item: Item): Promise<Answer>;
  /** Resolves when nothing is queued or in flight. */
  idle(): Promise<void>;
}

interface Waiting<Item, Answer> extends WaitingItem {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: a group or a few are in flight at a time, and what arrives meanwhile goes out together in the next. A group
 * waits for the end of the event loop's turn, so callers of one turn share it, and if they are several for the end of the
 * next. A group that is late, since one run is locked or one connection is dead, holds up its own keys alone: the others'
 * next group goes out beside it.
 *
 * Between an `add` and its `send` other items may join; between a `send` and its answer more may queue. Neither changes
 * the order of a key's items: the queue is cut past the keys that are in flight, each owner's items from its front. `planGroup`
 * says whose are in a group.
 */
export function createBatcher<Item, Answer>(
  options: BatcherOptions<Item, Answer>,
): Batcher<Item, Answer> {
  type Group = readonly Waiting<Item, Answer>[];
  let queue: Waiting<Item, Answer>[] = [];
  let queuedWeight = 0;
  /** Of the queue, by owner. */
  const owned = new Map<string | null, number>();
  let turns: ReadonlyMap<string | null, number> = new Map();
  let turn = 0;
  let lastOwner: string | null = null;
  let sharedUntilMs = Number.NEGATIVE_INFINITY;
  let isScheduled = false;
  /** The groups that the next one waits for. */
  let prompt: readonly Group[] = [];
  let late: readonly Group[] = [];
  // Both lists and this set are made anew at each change: what has been in a set that lives on, V8 keeps until its next full
  // collection, and that would be every append.
  /** The keys of both. */
  let busy: ReadonlySet<string> = new Set();
  let onIdle: (() => void)[] = [];

  function isIdle(): boolean {
    return prompt.length === 0 && late.length === 0 && queue.length === 0;
  }

  function listBusy(): void {
    busy = new Set([...prompt, ...late].flatMap((group) => group.map(({ key }) => key)));
  }

  function countReady(): number {
    let ready = 0;
    for (const { key } of queue) if (!busy.has(key)) ready += 1;
    return ready;
  }

  function cutGroup(): Group {
    const waiting = Math.ceil(countReady() / (options.groupsAtOnce - prompt.length));
    turn += 1;
    const plan = planGroup(queue, {
      busy,
      maxItems: Math.min(options.maxItems, Math.max(waiting, LEAST_SHARE)),
      maxWeight: options.maxWeight,
      sharedWeight: options.sharedWeight,
      isShared: options.clock.now() < sharedUntilMs,
      turns,
      turn,
    });
    queue = [...plan.rest];
    ({ turns } = plan);
    let from = plan.group[0]?.owner ?? null;
    let left = 0;
    for (const { owner, weight } of plan.group) {
      if (owner !== from) {
        weigh(from, -left);
        from = owner;
        left = 0;
      }
      left += weight;
    }
    weigh(from, -left);
    return plan.group;
  }

  function weigh(owner: string | null, change: number): void {
    queuedWeight += change;
    const weight = (owned.get(owner) ?? 0) + change;
    if (weight === 0) owned.delete(owner);
    else owned.set(owner, weight);
  }

  /** Two owners that add in turns share the queue, even if neither is ever seen waiting. */
  function noteOwner(owner: string | null): void {
    if (owner === lastOwner) return;
    lastOwner = owner;
    sharedUntilMs = options.clock.now() + SHARED_MS;
  }

  async function sendGroup(group: Group): Promise<void> {
    const answered = new Uint8Array(group.length);
    try {
      await options.send(
        group.map(({ item }) => item),
        (index, answer) => {
          answered[index] = 1;
          if (answer instanceof Error) group[index]?.reject(answer);
          else group[index]?.resolve(answer);
        },
      );
      group.forEach(({ reject }, index) => {
        // Made only where one is needed: an error takes its stack, which is more work than all the rest.
        if (answered[index] === 0)
          reject(new TypeError("Expected an answer for each item of a group."));
      });
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  function sendNext(): void {
    while (queue.length > 0 && prompt.length < options.groupsAtOnce && late.length < MOST_LATE) {
      const group = cutGroup();
      if (group.length === 0) return;
      start(group);
    }
  }

  function start(group: Group): void {
    prompt = [...prompt, group];
    listBusy();
    const stopWatch = options.clock.every(LATE_MS, () => {
      stopWatch();
      prompt = without(prompt, group);
      late = [...late, group];
      sendNext();
    });
    void sendGroup(group).then(() => {
      stopWatch();
      prompt = without(prompt, group);
      late = without(late, group);
      listBusy();
      if (queue.length > 0) schedule();
      if (isIdle()) settleIdle();
    });
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    afterTurn(() => {
      // Where several came in one turn, more are on their way, as from clients who all had their answers from one commit:
      // of 32 over HTTP 30 meet, not 24, and an append takes 0.965 of the processor (profiles/http-append.md of the bench).
      // Whoever is alone does not wait, nor does a full group.
      const ready = countReady();
      if (ready > 1 && ready < options.maxItems) afterTurn(sendScheduled);
      else sendScheduled();
    });
  }

  function sendScheduled(): void {
    isScheduled = false;
    sendNext();
  }

  function settleIdle(): void {
    const waiters = onIdle;
    onIdle = [];
    for (const resolve of waiters) resolve();
  }

  return {
    add(item) {
      return new Promise<Answer>((resolve, reject) => {
        const owner = options.ownerOf(item);
        options.admit?.(queuedWeight, owner, owned.get(owner) ?? 0);
        const weight = options.weigh(item);
        const key = options.keyOf(item);
        queue.push({ item, key, owner, weight, resolve, reject });
        weigh(owner, weight);
        noteOwner(owner);
        // Else the group that ends looks at what waits.
        if (prompt.length < options.groupsAtOnce && !busy.has(key)) schedule();
      });
    },
    idle() {
      return isIdle() ? Promise.resolve() : new Promise((resolve) => onIdle.push(resolve));
    },
  };
}

function without<Value>(values: readonly Value[], one: Value): readonly Value[] {
  return values.filter((value) => value !== one);
}
