import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/index.ts";
import { STATE_PAUSE_MS } from "../src/follow/feed-state.ts";
import type { RunChanges } from "../src/rules/run-values.ts";
import { news, reader, settle, world } from "./changes-world.ts";

/** How long a lost notification makes a change late at most, with few feeds. */
const RECHECK_MS = 5_000;
const END = [{ eventType: "RUN_COMPLETED" }];
const TOKEN = [{ eventType: "TOKEN" }];

describe("runs.changes", () => {
  it("W48: it begins with the live runs, and then has each that is created, gets events, ends or is removed", async () => {
    const { runs, clock } = world();
    for (const runId of ["a", "b", "over"]) await runs.create({ ownerId: "ada", runId });
    await runs.append("over", END);
    await runs.create({ ownerId: "bob", runId: "bobs" });
    const { taken } = reader(runs);
    const steps: readonly (readonly [() => Promise<unknown>, readonly string[]])[] = [
      [async () => {}, ["a queued 0", "b queued 0"]],
      [() => runs.append("a", TOKEN), ["a running 1"]],
      [() => runs.create({ ownerId: "ada", runId: "c" }), ["c queued 0"]],
      [() => runs.append("c", END), ["c completed 1"]],
      [() => runs.append("bobs", TOKEN), []],
      [() => runs.delete("over"), ["-over"]],
      [() => runs.delete("c"), ["-c"]],
      [() => runs.create({ ownerId: "ada", runId: "c" }), ["c queued 0"]],
    ];
    for (const [step, expected] of steps) {
      await step();
      await settle();
      clock.advance(STATE_PAUSE_MS);
      await settle();
      expect(news(taken)).toEqual(expected);
    }
    await runs.close();
  });

  it("W48: of many events in a second a reader gets the newest state, four times at most", async () => {
    const { runs, clock } = world();
    await runs.create({ ownerId: "ada", runId: "a" });
    const { taken } = reader(runs);
    await settle();
    news(taken);
    for (let at = 0; at < 100; at++) {
      await runs.append("a", TOKEN);
      await settle();
      clock.advance(10);
    }
    await settle();
    const states = news(taken);
    expect(states.length).toBeLessThanOrEqual(5);
    clock.advance(STATE_PAUSE_MS);
    await settle();
    expect([...states, ...news(taken)].at(-1)).toBe("a running 100");
    await runs.close();
  });

  it("W48: a reader that was busy gets the state of the end, not those before", async () => {
    const { runs, clock } = world();
    await runs.create({ ownerId: "ada", runId: "a" });
    const changes = runs.changes({ ownerId: "ada" })[Symbol.asyncIterator]();
    await changes.next();
    for (let at = 0; at < 10; at++) {
      await runs.append("a", TOKEN);
      clock.advance(STATE_PAUSE_MS);
      await settle();
    }
    const { value } = await changes.next();
    expect((value as RunChanges).runs).toMatchObject([{ run: { lastSequence: 10 } }]);
    await changes.return?.();
    await runs.close();
  });

  it("W48: if notifications are lost, each change comes with the next round", async () => {
    const { runs, clock, faults } = world();
    await runs.create({ ownerId: "ada", runId: "a" });
    const { taken } = reader(runs);
    await settle();
    news(taken);
    faults.isSilent = true;
    await runs.append("a", TOKEN);
    await runs.create({ ownerId: "ada", runId: "b" });
    await settle();
    clock.advance(RECHECK_MS);
    await settle();
    expect(news(taken).toSorted()).toEqual(["a running 1", "b queued 0"]);
    await runs.append("b", END);
    clock.advance(RECHECK_MS);
    await settle();
    expect(news(taken)).toEqual(["b completed 1"]);
    await runs.close();
  });

  it("W48: it has the runs of its topic only, and their last events if they were asked for", async () => {
    const { runs, clock } = world();
    await runs.create({ ownerId: "ada", runId: "tea", topic: "tea" });
    await runs.create({ ownerId: "ada", runId: "none" });
    const { taken } = reader(runs, { topic: "tea", last: true });
    await settle();
    expect(taken.splice(0)).toMatchObject([{ isReset: true, runs: [{ run: { runId: "tea" } }] }]);
    await runs.append("tea", [
      { eventType: "TOKEN", payload: 1 },
      { eventType: "TOKEN", payload: 2 },
    ]);
    await runs.append("none", TOKEN);
    clock.advance(STATE_PAUSE_MS);
    await settle();
    expect(taken.splice(0)).toMatchObject([
      { isReset: false, runs: [{ run: { runId: "tea" }, last: { sequence: 2, payload: 2 } }] },
    ]);
    await runs.close();
  });

  it("W48: a reader that comes back with its cursor gets what it missed, also what ended and what was removed", async () => {
    const { runs, clock } = world();
    for (const runId of ["a", "b", "c"]) await runs.create({ ownerId: "ada", runId });
    const first = runs.changes({ ownerId: "ada" });
    let since = "";
    for await (const { cursor } of first) {
      since = cursor;
      break;
    }
    await runs.append("a", TOKEN);
    await runs.append("b", END);
    await runs.append("c", END);
    await runs.delete("c");
    const { taken } = reader(runs, { since });
    await settle();
    clock.advance(STATE_PAUSE_MS);
    await settle();
    expect(taken[0]?.isReset).toBe(false);
    expect(news(taken).toSorted()).toEqual(["-c", "a running 1", "b completed 1"]);
    await runs.close();
  });

  it("W48: a first page that does not have all runs has a cursor, after which the others come", async () => {
    const { runs } = world();
    const metadata = "x".repeat(200_000);
    for (const runId of ["a", "b", "c"]) await runs.create({ ownerId: "ada", runId, metadata });
    const pages: RunChanges[] = [];
    for await (const page of runs.changes({ ownerId: "ada" })) {
      pages.push(page);
      break;
    }
    expect(pages).toMatchObject([{ isReset: true, hasMore: true }]);
    for await (const page of runs.changes({ ownerId: "ada", since: pages[0]?.cursor ?? null })) {
      pages.push(page);
      if (!page.hasMore) break;
    }
    expect(pages.filter(({ isReset }) => isReset).length).toBe(1);
    expect(news(pages).toSorted()).toEqual(["a queued 0", "b queued 0", "c queued 0"]);
    await runs.close();
  });

  it("W48: a reader that comes back with its cursor gets each change of a run that it had with its notification", async () => {
    const { runs, clock, open } = world();
    for (const runId of ["a", "b", "c"]) await runs.create({ ownerId: "ada", runId });
    const first = reader(runs);
    await settle();
    const since = first.taken[0]?.cursor ?? "";
    const stop = new AbortController();
    const { taken, ended } = reader(runs, { since, signal: stop.signal });
    await settle();
    const steps: readonly (readonly [() => Promise<unknown>, string])[] = [
      [() => runs.append("a", TOKEN), "a running 1"],
      [() => runs.input("b", 1), "b queued 1"],
      [() => runs.cancel("c"), "c cancelled 1"],
      [() => runs.append("a", END), "a completed 2"],
    ];
    for (const [step, expected] of steps) {
      await step();
      await settle();
      // No round has come: there is one after RECHECK_MS.
      clock.advance(STATE_PAUSE_MS);
      await settle();
      expect(news(taken)).toEqual([expected]);
    }
    await runs.append("b", END);
    clock.advance(STATE_PAUSE_MS);
    await settle();
    stop.abort(new Error("enough"));
    await expect(ended).rejects.toThrow("enough");
    await runs.close();
    expect([...open.values()].every((count) => count === 0)).toBe(true);
    expect(clock.timers()).toBe(0);
  });

  it("W48: readers of an owner share its subscriptions and reads, and leave nothing", async () => {
    const { runs, clock, open, calls } = world();
    for (const runId of ["a", "b"]) await runs.create({ ownerId: "ada", runId });
    const stop = new AbortController();
    const readers = [1, 2, 3].map(() => reader(runs, { signal: stop.signal }));
    await settle();
    clock.advance(STATE_PAUSE_MS);
    await settle();
    expect([...open.values()]).toEqual([1, 1, 1]);
    for (const { taken } of readers) news(taken);
    calls.read = 0;
    await runs.append("a", TOKEN);
    await settle();
    expect(calls.read).toBe(1);
    for (const { taken } of readers) expect(news(taken)).toEqual(["a running 1"]);
    await runs.append("a", END);
    clock.advance(STATE_PAUSE_MS);
    await settle();
    expect([...open.values()].toSorted((one, other) => one - other)).toEqual([0, 1, 1]);
    stop.abort(new Error("enough"));
    for (const { ended } of readers) await expect(ended).rejects.toThrow("enough");
    expect([...open.values()]).toEqual([0, 0, 0]);
    expect(clock.timers()).toBe(0);
    await runs.close();
  });

  it("W48: an append that comes before the subscription to its run is not missed", async () => {
    const { runs, clock, open } = world();
    await runs.create({ ownerId: "ada", runId: "a" });
    const changes = runs.changes({ ownerId: "ada" })[Symbol.asyncIterator]();
    const first = changes.next();
    // The live runs have been read by then, and the run has no subscription yet.
    while ((open.get("a") ?? 0) === 0) {
      const { lastSequence } = await runs.get("a");
      if (lastSequence === 0) await runs.append("a", TOKEN);
      await Promise.resolve();
    }
    const { value } = await first;
    const seen = (value as RunChanges).runs[0]?.run.lastSequence;
    if (seen === 0) {
      const second = changes.next();
      await settle();
      clock.advance(STATE_PAUSE_MS);
      expect((await second).value).toMatchObject({ runs: [{ run: { lastSequence: 1 } }] });
    }
    await changes.return?.();
    await runs.close();
  });

  it("W48: a failure of the store ends it with the error, and another one begins where it was", async () => {
    const { runs, clock, faults } = world();
    await runs.create({ ownerId: "ada", runId: "a" });
    const { taken, ended } = reader(runs);
    await settle();
    const cursor = taken[0]?.cursor ?? "";
    faults.failure = new RunEventsError("store_unavailable", "away");
    clock.advance(RECHECK_MS);
    await expect(ended).rejects.toMatchObject({ code: "store_unavailable" });
    expect(clock.timers()).toBe(0);
    faults.failure = null;
    await runs.append("a", TOKEN);
    const again = reader(runs, { since: cursor });
    await settle();
    expect(news(again.taken)).toEqual(["a running 1"]);
    await runs.close();
  });

  it("W48: closing ends it with `store_unavailable`, and later ones are refused", async () => {
    const { runs, clock, open } = world();
    await runs.create({ ownerId: "ada", runId: "a" });
    const { ended } = reader(runs);
    await settle();
    await runs.close();
    await expect(ended).rejects.toMatchObject({ code: "store_unavailable" });
    expect([...open.values()].every((count) => count === 0)).toBe(true);
    expect(clock.timers()).toBe(0);
    await expect(reader(runs).ended).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("W48: a quiet reader gets a new cursor before its old one is over", async () => {
    const { runs, clock } = world();
    await runs.create({ ownerId: "ada", runId: "a" });
    const { taken } = reader(runs);
    await settle();
    news(taken);
    for (let minute = 0; minute < 20; minute++) {
      clock.advance(60_000);
      await settle();
    }
    expect(taken.length).toBeGreaterThanOrEqual(1);
    expect(taken.length).toBeLessThanOrEqual(2);
    expect(taken[0]).toMatchObject({ isReset: false, runs: [], gone: [], hasMore: false });
    await runs.close();
  });

  it("W48: bad options are refused with what to do", async () => {
    const { runs } = world();
    const refused = async (options: unknown): Promise<unknown> =>
      reader(runs, options as object).ended.catch((error: unknown) => error);
    expect(await refused({ since: "12" })).toMatchObject({ code: "invalid_cursor" });
    expect(await refused({ topic: "" })).toMatchObject({ code: "invalid_request" });
    expect(await refused({ ownerId: "" })).toBeInstanceOf(TypeError);
    await runs.close();
  });
});
