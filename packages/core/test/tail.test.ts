import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Followers } from "../src/follow/followers.ts";
import { tailSlices } from "../src/follow/tail.ts";
import { createFakeClock } from "./fake-clock.ts";
import { appendRequest, newEvent } from "./run-record.ts";
import { RUN } from "./run-writes.ts";
import { createScriptedSource, type ScriptedSource } from "./scripted-source.ts";
import { createTailReader } from "./tail-reader.ts";

const ADA = { ownerId: "ada" };
const REASON = new Error("enough");

async function createBench() {
  const [source, clock] = [createScriptedSource(), createFakeClock()];
  await source.writes.create(RUN);
  return { source, clock, followers: new Followers(source, clock) };
}

async function turn(source: ScriptedSource): Promise<void> {
  for (const ready of source.readies) ready.resolve();
  await setImmediate();
  source.answerAll();
  await setImmediate();
}

function append(source: ScriptedSource, eventType = "TOKEN"): void {
  void source.writes.append(appendRequest([newEvent(eventType)]));
}

describe("tailSlices", () => {
  it("S13: a notification alone makes a waiting tail read", async () => {
    const { source, followers } = await createBench();
    const tail = createTailReader(followers, 0);
    tail.take();
    await turn(source);
    expect(tail.state()).toBe("waiting");
    append(source);
    await setImmediate();
    source.notifyCount.pop()?.();
    await turn(source);
    expect([tail.state(), tail.seen.length]).toStrictEqual(["asleep", 1]);
    tail.leave();
    await setImmediate();
    expect(source.subscriptions()).toBe(0);
  });

  it("S13: a notification is not lost at any moment between the read and the wait", async () => {
    for (let hops = 0; hops < 20; hops++) {
      const { source, followers } = await createBench();
      append(source);
      const tail = createTailReader(followers, 0);
      tail.take();
      await turn(source);
      await turn(source);
      expect([tail.state(), tail.seen.length]).toStrictEqual(["asleep", 1]);
      append(source);
      await setImmediate();
      source.notifyCount.pop()?.();
      await setImmediate();
      source.answerAll();
      for (let hop = 0; hop < hops; hop++) await Promise.resolve();
      tail.take();
      await setImmediate();
      expect([hops, tail.state(), tail.seen.length]).toStrictEqual([hops, "asleep", 2]);
      tail.leave();
    }
  });

  it("W7: a tail ends after the terminal event by itself", async () => {
    const { source, clock, followers } = await createBench();
    append(source);
    append(source, "RUN_COMPLETED");
    const tail = createTailReader(followers, 0);
    tail.take();
    await turn(source);
    await turn(source);
    tail.take();
    await setImmediate();
    expect([tail.state(), tail.seen.length, source.subscriptions(), clock.timers()]).toStrictEqual([
      "finished",
      2,
      0,
      0,
    ]);
  });

  const phases = [
    ["the subscription", 0, 0],
    ["the first read", 0, 1],
    ["an event", 0, 2],
    ["a page", 3, 2],
    ["its reader", 3, 3],
  ] as const;

  it.each(phases)(
    "aborted while it waits for %s it throws the reason, and leaves nothing",
    async (_phase, events, turns) => {
      const { source, clock, followers } = await createBench();
      for (let count = 0; count < events; count++) append(source);
      const tail = createTailReader(followers, 0);
      tail.take();
      if (turns > 0) source.readies[0]?.resolve();
      for (let count = 1; count < turns; count++) {
        await setImmediate();
        source.answerAll();
      }
      await setImmediate();
      tail.abort(REASON);
      tail.take();
      await setImmediate();
      expect([tail.state(), tail.error()]).toStrictEqual(["failed", REASON]);
      expect([source.subscriptions(), clock.timers()]).toStrictEqual([0, 0]);
    },
  );

  it("a tail that is aborted before it begins throws the reason and subscribes to nothing", async () => {
    const { source, clock, followers } = await createBench();
    const slices = tailSlices(followers, "r", { ...ADA, signal: AbortSignal.abort(REASON) });
    await expect(slices.next()).rejects.toBe(REASON);
    expect([source.subscriptions(), clock.timers(), source.reads.length]).toStrictEqual([0, 0, 0]);
  });

  it("a tail removes its listeners from the signal", async () => {
    const { source, followers } = await createBench();
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = new Proxy(signal, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return (...parts: unknown[]): unknown => {
          if (key === "addEventListener") listeners += 1;
          if (key === "removeEventListener") listeners -= 1;
          return Reflect.apply(value, target, parts);
        };
      },
    });
    append(source, "RUN_COMPLETED");
    const slices = tailSlices(followers, "r", { ...ADA, signal: counted });
    const first = slices.next();
    await turn(source);
    await turn(source);
    expect((await first).value?.finished).toBe(true);
    expect((await slices.next()).done).toBe(true);
    expect(listeners).toBe(0);
  });

  it("W4: a tail of another owner's run is not_found, even while its owner follows it", async () => {
    const { source, clock, followers } = await createBench();
    const mine = createTailReader(followers, 0);
    mine.take();
    await turn(source);
    const next = tailSlices(followers, "r", { ownerId: "eve" }).next();
    const caught = expect(next).rejects.toMatchObject({ code: "not_found" });
    await turn(source);
    await caught;
    expect([mine.state(), source.subscriptions()]).toStrictEqual(["waiting", 1]);
    append(source);
    await setImmediate();
    source.notifyCount.pop()?.();
    await turn(source);
    mine.leave();
    await setImmediate();
    expect([source.subscriptions(), clock.timers()]).toStrictEqual([0, 0]);
  });

  it("W24: a cursor past the end of a live run is cursor_ahead, one past a finished run is its end", async () => {
    const { source, followers } = await createBench();
    const next = tailSlices(followers, "r", { ...ADA, since: 1 }).next();
    const caught = expect(next).rejects.toMatchObject({
      code: "cursor_ahead",
      details: { lastSequence: 0 },
    });
    await turn(source);
    await caught;
    append(source, "RUN_COMPLETED");
    const end = tailSlices(followers, "r", { ...ADA, since: 2 });
    const slice = end.next();
    await turn(source);
    expect((await slice).value).toMatchObject({ events: [], finished: true });
    expect((await end.next()).done).toBe(true);
  });
});
