import { setImmediate } from "node:timers/promises";
import { Batcher, type BatcherOptions } from "../src/log/batcher.ts";
import type { RunName } from "../src/rules/head.ts";
import { createDeferred, type Deferred } from "./deferred.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

export interface Item extends RunName {
  readonly name: number;
  readonly weight: number;
}

/** A batcher whose sends the test answers. */
export interface Bench {
  readonly batcher: Batcher<Item, string>;
  readonly groups: (readonly Item[])[];
  readonly clock: FakeClock;
  /** The sends under way, oldest first. */
  readonly sending: () => readonly Sending[];
  /** Answers every item of the oldest send. */
  readonly answer: () => void;
}

export interface Sending {
  readonly items: readonly Item[];
  /** Answers an item, by its index. */
  readonly settle: (index: number, answer: string) => void;
  readonly pass: () => void;
  readonly done: Deferred<void>;
}

const nameOf = ({ name }: Item): string => `answer ${name}`;
export const LATE_MS = 250;

export function createBench(options: Partial<BatcherOptions<Item, string>> = {}): Bench {
  const groups: (readonly Item[])[] = [];
  const sends: Sending[] = [];
  const clock = createFakeClock();
  const batcher = new Batcher<Item, string>({
    send(sent, pass) {
      const items = sent.map(({ item }) => item);
      groups.push(items);
      const done = createDeferred<void>();
      sends.push({ items, settle: (index, answer) => sent[index]?.settle(answer), pass, done });
      return done.promise;
    },
    weigh: ({ weight }) => weight,
    maxWeight: 10,
    maxItems: 4,
    groupsAtOnce: 1,
    clock,
    ...options,
  });
  return {
    batcher,
    groups,
    clock,
    sending: () => sends,
    answer() {
      const oldest = sends.shift();
      oldest?.items.forEach((one, index) => oldest.settle(index, nameOf(one)));
      oldest?.done.resolve();
    },
  };
}

/** By then added items were sent, if they have room: a single item after one turn, several after two. */
export async function endOfTurns(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/** As `endOfTurns`, after the turn in which a group's end is seen. */
export async function nextGroup(): Promise<void> {
  await setImmediate();
  await endOfTurns();
}

/** An item of one of the runs of an owner. */
export function item(name: number, weight = 1, key = 0): Item {
  return { ownerId: "ada", runId: `${key}`, name, weight };
}
