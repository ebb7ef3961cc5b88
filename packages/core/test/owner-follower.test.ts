import { describe, expect, it } from "vitest";
import { createFeeds } from "../src/follow/feeds.ts";
import type { Feed, FeedPage } from "../src/follow/feed.ts";
import { STATE_PAUSE_MS } from "../src/follow/feed-state.ts";
import { createFakeClock } from "./fake-clock.ts";
import { settle } from "./changes-world.ts";
import { appendRequest, newEvent } from "./run-record.ts";
import { createScriptedSource } from "./scripted-source.ts";

const SCOPE = { ownerId: "ada", topic: null };
const OPTIONS = { since: null, withLast: false };

/** Feeds of ada's runs, over a source whose reads and notifications wait. */
async function world(runIds: readonly string[], watched = 100) {
  const source = createScriptedSource();
  const { store } = source;
  const clock = createFakeClock();
  for (const runId of runIds) await store.createRun({ runId, ownerId: "ada", metadata: "null" });
  /** Happens once, after the next page was made and before it arrives. */
  const inBetween: (() => Promise<unknown>)[] = [];
  const calls = { lists: 0 };
  const owners = {
    ...source,
    async listChanged(query: Parameters<typeof store.listChanged>[0]) {
      calls.lists += 1;
      const page = await store.listChanged(query);
      await inBetween.shift()?.();
      return page;
    },
    listRuns: (query: Parameters<typeof store.listRuns>[0]) => store.listRuns(query),
  };
  const feeds = createFeeds(owners, clock, { left: watched });
  return {
    source,
    clock,
    inBetween,
    calls,
    open: (since: string | null = null) => feeds.open(SCOPE, { ...OPTIONS, since }),
    cursor: async () => (await store.listChanged({ ...SCOPE, since: null, limit: 1_000 })).cursor,
    create: (runId: string) => store.createRun({ runId, ownerId: "ada", metadata: "null" }),
    append: (runId: string) => store.append([appendRequest([newEvent("NOTE")], { runId })]),
    /** Delivers what the store owes. */
    notify: () => source.notifyCount.splice(0).forEach((one) => one()),
  };
}

/** Takes pages for ever. @returns the states so far, each as `id sequence` */
function reader(feed: Feed): string[] {
  const taken: string[] = [];
  const take = ({ runs }: FeedPage): Promise<void> => {
    taken.push(...runs.map(({ runId, lastSequence }) => `${runId} ${lastSequence}`));
    return feed.next().then(take);
  };
  feed
    .next()
    .then(take)
    .catch(() => "it has left");
  return taken;
}

describe("OwnerFollower", () => {
  it("W48: a read that began before a page of another feed is not shared with that feed", async () => {
    const { source, clock, open, append, notify } = await world(["a"]);
    const [first, second] = [open(), open()];
    const [one, other] = [reader(first), reader(second)];
    await settle();
    await append("a");
    notify();
    clock.advance(STATE_PAUSE_MS);
    await settle();
    // Both wait for this read, which knows of one event.
    expect(source.reads.length).toBe(1);
    second.leave();
    const third = open();
    await append("a");
    const late = reader(third);
    await settle();
    // Its first page knows of two, and the notifications of the second event have not come.
    expect(late).toEqual(["a 2"]);
    const owed = source.notifyCount.splice(0);
    third.notify("a");
    clock.advance(STATE_PAUSE_MS);
    await settle();
    source.answerAll();
    await settle();
    expect(late).toEqual(["a 2"]);
    expect([one, other]).toEqual([["a 0", "a 1"], ["a 0"]]);
    owed.forEach((deliver) => deliver());
    clock.advance(STATE_PAUSE_MS);
    await settle();
    source.answerAll();
    await settle();
    expect(one.at(-1)).toBe("a 2");
    first.leave();
    third.leave();
    expect([source.subscriptions(), clock.timers()]).toEqual([0, 0]);
  });

  it("W48: what was appended before a run's subscription was ready is read once it is", async () => {
    const { source, clock, open, append } = await world(["a"]);
    const feed = open();
    const taken = reader(feed);
    await settle();
    await append("a");
    source.notifyCount.length = 0;
    // The subscription of the owner is the first one.
    expect(source.readies.length).toBe(2);
    source.readies[1]?.resolve();
    await settle();
    clock.advance(STATE_PAUSE_MS);
    await settle();
    source.answerAll();
    await settle();
    expect(taken).toEqual(["a 0", "a 1"]);
    feed.leave();
  });

  /** Two feeds that have every run, and then one more, whose subscription is not ready. */
  async function withNewRun() {
    const made = await world(["a"]);
    const { source, clock, calls, open, create, notify } = made;
    const feeds = [open(), open()] as const;
    const taken = [reader(feeds[0]), reader(feeds[1])] as const;
    for (let pause = 0; pause < 3; pause++) {
      await settle();
      for (const ready of source.readies) ready.resolve();
      await settle();
      clock.advance(STATE_PAUSE_MS);
    }
    await create("b");
    calls.lists = 0;
    notify();
    await settle();
    expect(taken).toEqual([
      ["a 0", "b 0"],
      ["a 0", "b 0"],
    ]);
    expect([calls.lists, source.subscriptions()]).toEqual([1, 3]);
    /** Lets the pause of a state pass, and answers what is read. */
    const pass = async (): Promise<void> => {
      clock.advance(STATE_PAUSE_MS);
      await settle();
      source.answerAll();
      await settle();
    };
    return { ...made, feeds, taken, pass };
  }

  it("W48: what was appended to a new run before its subscription was ready is read once for all feeds, without a list", async () => {
    const { source, calls, append, feeds, taken, pass } = await withNewRun();
    await append("b");
    source.notifyCount.length = 0;
    source.readies.at(-1)?.resolve();
    await settle();
    await pass();
    expect(taken).toEqual([
      ["a 0", "b 0", "b 1"],
      ["a 0", "b 0", "b 1"],
    ]);
    expect(calls.lists).toBe(1);
    for (const feed of feeds) feed.leave();
  });

  it("W48: a read that began before a run's subscription was ready is not shared after it", async () => {
    const { source, clock, append, feeds, taken, pass } = await withNewRun();
    const [first, second] = feeds;
    first.notify("b");
    clock.advance(STATE_PAUSE_MS);
    await settle();
    expect(source.reads.length).toBe(1);
    await append("b");
    source.notifyCount.length = 0;
    source.readies.at(-1)?.resolve();
    await settle();
    source.answerAll();
    await settle();
    for (let pause = 0; pause < 2; pause++) await pass();
    expect(taken.map((states) => states.at(-1))).toEqual(["b 1", "b 1"]);
    first.leave();
    second.leave();
    expect([source.subscriptions(), clock.timers()]).toEqual([0, 0]);
  });

  it("W48: a feed that leaves while it waits for a list gives its place back", async () => {
    const { source, clock, calls, open } = await world(["a"]);
    const feed = open();
    const page = feed.next();
    feed.leave();
    await expect(page).rejects.toMatchObject({ code: "store_unavailable" });
    await settle();
    expect([calls.lists, source.subscriptions(), clock.timers()]).toEqual([0, 0, 0]);
  });

  it("W48: a subscription that is ready after the last feed has left begins no timer", async () => {
    const { source, clock, open } = await world(["a"]);
    open().leave();
    for (const ready of source.readies) ready.resolve();
    await settle();
    expect([source.subscriptions(), clock.timers()]).toEqual([0, 0]);
  });

  it("W48: the feeds of a process share a bounded number of subscriptions to runs, and give them back", async () => {
    const { source, open, clock } = await world(["a", "b", "c"], 2);
    for (let round = 0; round < 2; round++) {
      const feeds = [open(), open()];
      for (const feed of feeds) reader(feed);
      await settle();
      // Two runs, and the owner.
      expect(source.subscriptions()).toBe(3);
      for (const feed of feeds) feed.leave();
      expect([source.subscriptions(), clock.timers()]).toEqual([0, 0]);
    }
  });

  const MOMENTS = ["before the page", "with the page", "before it is ready", "after it"] as const;

  for (const when of MOMENTS) {
    it(`W48: a feed from a cursor has what was appended to a run ${when}, without a round`, async () => {
      const { source, clock, inBetween, cursor, open, append, notify } = await world(["a", "b"]);
      const since = await cursor();
      const lost = async (): Promise<void> => {
        await append("a");
        source.notifyCount.length = 0;
      };
      if (when === "before the page") await lost();
      if (when === "with the page") inBetween.push(lost);
      const feed = open(since);
      const taken = reader(feed);
      await settle();
      // The owner, and both live runs. That of the owner is ready first, and has another page read.
      expect(source.subscriptions()).toBe(3);
      source.readies[0]?.resolve();
      await settle();
      clock.advance(STATE_PAUSE_MS);
      await settle();
      if (when === "before it is ready") await lost();
      for (const ready of source.readies) ready.resolve();
      await settle();
      if (when === "after it") await append("a");
      notify();
      for (let pause = 0; pause < 2; pause++) {
        clock.advance(STATE_PAUSE_MS);
        await settle();
        source.answerAll();
        await settle();
      }
      expect(taken).toEqual(["a 1"]);
      feed.leave();
      expect([source.subscriptions(), clock.timers()]).toEqual([0, 0]);
    });
  }

  it("W48: a feed that shares a subscription has what another one was notified of before its page came", async () => {
    const { source, clock, inBetween, cursor, open, append, notify } = await world(["a", "b"]);
    const since = await cursor();
    const first = open(since);
    const one = reader(first);
    await settle();
    for (const ready of source.readies) ready.resolve();
    await settle();
    clock.advance(STATE_PAUSE_MS);
    await settle();
    inBetween.push(async () => {
      await append("a");
      notify();
    });
    const second = open(since);
    const other = reader(second);
    for (let pause = 0; pause < 2; pause++) {
      await settle();
      source.answerAll();
      await settle();
      clock.advance(STATE_PAUSE_MS);
    }
    await settle();
    expect([one, other]).toEqual([["a 1"], ["a 1"]]);
    expect(source.subscriptions()).toBe(3);
    first.leave();
    second.leave();
  });

  it("W48: a feed of 300 runs opens with three pages and one more list, and reads no run by itself", async () => {
    const runIds = Array.from({ length: 300 }, (_, at) => `r${at}`);
    for (const isBack of [false, true]) {
      const { source, clock, calls, cursor, open } = await world(runIds);
      const feed = open(isBack ? await cursor() : null);
      const taken = reader(feed);
      await settle();
      for (const ready of source.readies) ready.resolve();
      await settle();
      clock.advance(STATE_PAUSE_MS);
      await settle();
      expect([source.reads.length, taken.length]).toEqual([0, isBack ? 0 : 300]);
      expect(calls.lists).toBe(isBack ? 2 : 4);
      feed.leave();
    }
  });
});
