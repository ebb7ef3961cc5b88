import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import {
  checkReader,
  connect,
  createFeedWorld,
  cutOff,
  expectRight,
  type FeedReader,
  type FeedWorld,
  isConnected,
  unblock,
} from "./feed-world.ts";
import { type Act, coins, pick, scriptOf } from "./interleaving.ts";
import { rounds } from "./rounds.ts";
import { newEvent } from "./run-record.ts";

const LARGE = JSON.stringify("x".repeat(140_000));
const RUN_IDS = ["a", "b", "c"];
const FAILURE = new RunEventsError("store_unavailable", "The store did not answer.");
/** Longer than a cursor is good for. */
const TOO_LONG_MS = 3_700_000;

function withReader(act: (reader: FeedReader) => void): Act<FeedWorld> {
  return ({ readers }, at) => {
    const reader = pick(readers, at);
    if (reader !== undefined) act(reader);
  };
}

function change(what: Parameters<FeedWorld["change"]>[0]): Act<FeedWorld> {
  return (world, at) => world.change(what, pick(RUN_IDS, at) ?? "a");
}

const ACTS = {
  create: change("create"),
  append: change(newEvent("TOKEN")),
  /** Two runs with such a last event do not fit in one page. */
  appendLarge: change(newEvent("TOKEN", LARGE)),
  finish: change(newEvent("RUN_COMPLETED")),
  remove: change("delete"),
  open(world, at, count, takes) {
    if (world.readers.length === 3) return;
    const reader: FeedReader = {
      feed: {
        begin: at % 2 === 0 ? "live" : "all",
        topic: count % 2 === 0 ? "tea" : null,
        since: null,
        withLast: at % 3 === 0,
      },
      known: new Map(),
      cursor: null,
      connection: null,
    };
    world.readers.push(reader);
    connect(world, reader, takes);
  },
  comeBack(world, at, _, takes) {
    const reader = pick(world.readers, at);
    if (reader !== undefined && !isConnected(reader)) connect(world, reader, takes);
  },
  cut: withReader(cutOff),
  unblock: withReader(unblock),
  ready: ({ source }, at) => pick(source.readies, at)?.resolve(),
  answer: ({ source }, at) => pick(source.reads, at)?.answer(),
  answerList: ({ lists }, at) => pick(lists, at)?.answer(),
  fail: ({ source, lists }, at) => pick([...source.reads, ...lists], at)?.reject(FAILURE),
  notify: ({ source: { notifyCount } }, at) =>
    notifyCount.splice(at % notifyCount.length, 1)[0]?.(),
  loseNotification: ({ source: { notifyCount } }, at) =>
    void notifyCount.splice(at % notifyCount.length, 1),
  /** The cursors of all readers are too old then. */
  age(world) {
    world.aheadMs += TOO_LONG_MS;
  },
  async tick({ clock }, _, count) {
    for (let ticks = 0; ticks < count; ticks++) {
      clock.advance(250);
      await setImmediate();
    }
  },
} satisfies Readonly<Record<string, Act<FeedWorld>>>;

const WEIGHTS: Readonly<Record<keyof typeof ACTS, number>> = {
  create: 8,
  append: 10,
  appendLarge: 4,
  finish: 4,
  remove: 3,
  open: 5,
  comeBack: 5,
  cut: 3,
  unblock: 8,
  ready: 6,
  answer: 18,
  answerList: 14,
  fail: 1,
  notify: 14,
  loseNotification: 4,
  age: 1,
  tick: 10,
};

const script = scriptOf(WEIGHTS, { count: 8, hops: 8, steps: 90 });

/** Lets every reader come back, and everything come that is owed. Lost notifications stay lost. */
async function settle(world: FeedWorld): Promise<void> {
  const { source, clock, readers, lists } = world;
  for (let round = 0; round < 80; round++) {
    for (const reader of readers) {
      unblock(reader);
      if (!isConnected(reader)) connect(world, reader, () => true);
    }
    for (let turn = 0; turn < 4; turn++) {
      for (const ready of source.readies) ready.resolve();
      for (const read of source.reads.toReversed()) read.answer();
      for (const list of lists.toReversed()) list.answer();
      await setImmediate();
    }
    clock.advance(250);
  }
}

it("W24-W27, W48: any readers of a feed, cut at any time, with any failures and lost notifications, have all runs as they are in the end", async () => {
  await fc.assert(
    fc.asyncProperty(script, coins, async (steps, coin) => {
      const takes = (): boolean => coin.next().value === true;
      const world = createFeedWorld();
      for (const { name, at, count, hops } of steps) {
        await ACTS[name](world, at, count, takes);
        for (let hop = 0; hop < hops; hop++) await Promise.resolve();
        for (const reader of world.readers) checkReader(world, reader);
      }
      await settle(world);
      for (const reader of world.readers) {
        checkReader(world, reader);
        await expectRight(world, reader);
        cutOff(reader);
      }
      await setImmediate();
      const { source, clock, streams } = world;
      expect([streams.stats().open, source.subscriptions(), clock.timers()]).toEqual([0, 0, 0]);
    }),
    { numRuns: rounds(300) },
  );
});
