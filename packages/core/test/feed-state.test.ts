import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../src/index.ts";
import { FeedPlace } from "../src/follow/feed-place.ts";
import { FeedState, STATE_PAUSE_MS } from "../src/follow/feed-state.ts";
import { isTerminal } from "../src/rules/lifecycle.ts";
import type { RunRecord } from "../src/rules/run.ts";
import { Driven, expectRight, type Known, LIMIT, take } from "./driven-feed.ts";
import { appendRequest, newEvent } from "./run-record.ts";

const RUN_IDS = ["a", "b", "c"];
const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom("create", "TOKEN", "TOKEN", "TOKEN", "RUN_COMPLETED", "delete"),
      runId: fc.constantFrom(...RUN_IDS),
      notifies: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("step" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("all" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.integer({ min: 1, max: 300 }),
    }),
  },
);

/** How many runs fit in a page, if two do. */
const fits = fc.constantFrom(1, 2);
const actions = fc.array(action, { maxLength: 60, size: "max" });

describe("FeedState", () => {
  it("W48: a reader gets each run as it is, at most four times a second, and one that comes back with its cursor misses nothing", async () => {
    await fc.assert(
      fc.asyncProperty(actions, fc.nat({ max: 3 }), fits, async (script, newest, some) => {
        const driven = new Driven(newest);
        driven.fits = some;
        const dropped: { readonly cursor: string | null; readonly known: Known }[] = [];
        for (const one of script) {
          if (one.do === "step") await driven.step();
          else if (one.do === "all") driven.state.notifyAll();
          else if ("ms" in one) driven.nowMs += one.ms;
          else if (one.do === "drop")
            dropped.push({ cursor: driven.state.cursor, known: new Map(driven.known) });
          else if ("runId" in one) {
            await driven.change(one.do, one.runId);
            // A notification may be lost: then the next page finds the change.
            if (one.notifies) driven.state.notify(one.runId);
          }
        }
        driven.state.notifyAll();
        for (let idle = 0; idle < 3; idle++) {
          while (await driven.step()) idle = 0;
          driven.nowMs += STATE_PAUSE_MS;
        }
        await expectRight(driven, driven.known);
        for (const { cursor, known } of dropped) {
          for (let since = cursor, hasMore = true; hasMore;) {
            const page = await driven.store.listChanged({ ownerId: "ada", since, limit: LIMIT });
            take(known, page);
            ({ cursor: since, hasMore } = page);
          }
          await expectRight(driven, known);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("W48: subscriptions are those of the live runs that the reader has", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40, size: "max" }), async (actions) => {
        const driven = new Driven();
        const watched = new Set<string>();
        for (const one of actions) {
          if ("runId" in one) await driven.change(one.do, one.runId);
          if ("ms" in one) driven.nowMs += one.ms;
          if (one.do === "all") driven.state.notifyAll();
          await driven.step();
          const { begun, ended } = driven.state.takeWatches();
          for (const runId of ended) expect(watched.delete(runId)).toBe(true);
          for (const runId of begun) expect(watched.add(runId).size).toBeGreaterThan(0);
          const live = [...driven.known.values()].filter(({ runStatus }) => !isTerminal(runStatus));
          expect([...watched].toSorted()).toEqual(live.map(({ runId }) => runId).toSorted());
        }
      }),
    );
  });

  it("W48: while a state waits for its pause, the reader's cursor is that of before", async () => {
    const driven = new Driven();
    await driven.change("create", "a");
    await driven.step();
    const madeAtMs = driven.cursorAtMs();
    await driven.change("TOKEN", "a");
    driven.nowMs = STATE_PAUSE_MS;
    driven.state.notify("a");
    await driven.step();
    await driven.change("TOKEN", "a");
    driven.state.notifyAll();
    driven.nowMs += 1;
    await driven.step();
    expect(driven.known.get("a")?.lastSequence).toBe(1);
    expect(driven.cursorAtMs()).toBe(madeAtMs);
    driven.nowMs += STATE_PAUSE_MS;
    await driven.step();
    expect(driven.known.get("a")?.lastSequence).toBe(2);
    expect(driven.cursorAtMs()).toBeGreaterThan(madeAtMs);
  });

  /** A feed whose run `a` waits for its pause, kept back from a page. */
  async function waiting(): Promise<Driven> {
    const driven = new Driven();
    await driven.change("create", "a");
    await driven.step();
    driven.nowMs = STATE_PAUSE_MS;
    for (const notify of [() => driven.state.notify("a"), () => driven.state.notifyAll()]) {
      await driven.change("TOKEN", "a");
      notify();
      await driven.step();
    }
    expect(driven.known.get("a")?.lastSequence).toBe(1);
    return driven;
  }

  it("W48: what did not fit comes before anything else, and the cursor does not pass it", async () => {
    const driven = new Driven();
    for (const runId of ["a", "b", "c"]) await driven.change("create", runId);
    driven.fits = 1;
    await driven.step();
    const [first = ""] = driven.known.keys();
    expect([driven.known.size, driven.hasMore]).toEqual([1, true]);
    const since = driven.state.cursor;
    const rest = await driven.store.listChanged({ ownerId: "ada", since, limit: 9 });
    expect([rest.isReset, rest.runs.length]).toEqual([false, 2]);
    // The run that did not fit ends meanwhile. No list has it any more, so only this read can send its end.
    const [late = ""] = driven.state.plan(0).runIds;
    expect(late).not.toBe(first);
    await driven.change("RUN_COMPLETED", late);
    await driven.step();
    expect(driven.known.get(late)?.runStatus).toBe("completed");
    expect([driven.hasMore, driven.state.cursor]).toEqual([true, expect.any(String)]);
    while (await driven.step());
    expect([driven.known.size, driven.hasMore]).toEqual([3, false]);
  });

  it("W48: after some runs did not fit, as many are read at once as did fit, and then more", () => {
    const state = new FeedState(null);
    const run = { ordinal: 1, lastSequence: 0, runStatus: "queued" } as RunRecord;
    const runs = Array.from({ length: 16 }, (_, at) => ({ ...run, runId: `r${at}`, ordinal: at }));
    const page = { isReset: true, gone: [], live: [], cursor: "c", hasMore: false };
    state.keep(state.takePage({ ...page, runs }, 0), 2);
    const sizes: number[] = [];
    for (let { runIds } = state.plan(0); runIds.length > 0; { runIds } = state.plan(0)) {
      sizes.push(runIds.length);
      const read = new Map(runIds.map((runId) => [runId, { ...run, runId }]));
      state.keep(state.takeRuns(read, 0), runIds.length);
      if (sizes.length > 9) break;
      state.listing();
    }
    expect(sizes).toEqual([2, 4, 8]);
    expect(state.cursor).toBe("c");
  });

  it("W48: a page that comes before a waiting state was sent does not release the cursor", async () => {
    const driven = await waiting();
    const madeAtMs = driven.cursorAtMs();
    driven.state.notifyAll();
    driven.nowMs += STATE_PAUSE_MS;
    await driven.step();
    expect(driven.cursorAtMs()).toBe(madeAtMs);
    await driven.step();
    expect(driven.known.get("a")?.lastSequence).toBe(2);
    expect(driven.cursorAtMs()).toBeGreaterThan(madeAtMs);
  });

  it("S29, W48: a cursor does not count a state that was sent after its page: the run comes again, as the store may have lost that state", async () => {
    const driven = new Driven();
    await driven.change("create", "a");
    await driven.step();
    const ask = async (since: string | null): Promise<readonly string[]> => {
      const page = await driven.store.listChanged({ ownerId: "ada", since, limit: 9 });
      expect(page.isReset).toBe(false);
      return page.runs.map(({ runId }) => runId);
    };
    const { cursor, listed } = driven.state;
    expect([await ask(cursor), await ask(listed)]).toEqual([[], []]);
    await driven.change("TOKEN", "a");
    driven.nowMs = STATE_PAUSE_MS;
    driven.state.notify("a");
    const kept = await driven.store.listChanged({ ownerId: "ada", since: cursor, limit: 9 });
    await driven.step();
    // As it was before the event, or is now.
    expect([await ask(driven.state.cursor), await ask(driven.state.listed)]).toEqual([
      ["a"],
      ["a"],
    ]);
    const place = new FeedPlace(kept.cursor);
    expect(await ask(place.cursor)).toEqual([]);
    for (const run of kept.runs) place.pass(run, false);
    expect(await ask(place.cursor)).toEqual(["a"]);
  });

  it("W48: a waiting state whose run is removed no longer keeps the cursor back", async () => {
    const driven = await waiting();
    const madeAtMs = driven.cursorAtMs();
    await driven.change("RUN_COMPLETED", "a");
    await driven.change("delete", "a");
    driven.state.notifyAll();
    driven.nowMs += STATE_PAUSE_MS;
    await driven.step();
    expect(driven.known.size).toBe(0);
    expect(driven.cursorAtMs()).toBeGreaterThan(madeAtMs);
    expect(driven.state.plan(driven.nowMs + STATE_PAUSE_MS).runIds).toEqual([]);
  });

  it("W48: a feed of all begins with the live runs and the newest that have finished, and then says that it is complete", async () => {
    const driven = new Driven(40);
    const ids = Array.from({ length: 60 }, (_, at) => `run-${at}`);
    for (const runId of ids) await driven.change("create", runId);
    // Those at the end of the list have not finished.
    for (const runId of ids.slice(10)) await driven.change("RUN_COMPLETED", runId);
    for (let steps = 0; driven.hasMore && steps < 100; steps++) await driven.step();
    expect([...driven.known.keys()].toSorted()).toEqual(
      [...ids.slice(0, 10), ...ids.slice(20)].toSorted(),
    );
    await driven.change("delete", "run-30");
    driven.nowMs += STATE_PAUSE_MS;
    driven.state.notifyAll();
    await driven.step();
    expect(driven.known.has("run-30")).toBe(false);
  });

  it("W48: a run that ended after the first page is not sent as ended before its state is read", async () => {
    const driven = new Driven(3);
    await driven.change("create", "a");
    await driven.step();
    await driven.change("RUN_COMPLETED", "a");
    await driven.step();
    expect([driven.known.get("a")?.runStatus, driven.hasMore]).toEqual(["queued", false]);
    driven.state.notify("a");
    driven.nowMs += STATE_PAUSE_MS;
    await driven.step();
    expect(driven.known.get("a")?.runStatus).toBe("completed");
  });

  it("W48: of more than 1,000 live runs the others come with each page, and have no subscription", async () => {
    const state = new FeedState(null);
    const store = createMemoryStore();
    await store.createRun({ runId: "r", ownerId: "ada", metadata: "null" });
    const one = (await store.getRun("r")) as RunRecord;
    const runs = Array.from({ length: 1_002 }, (_, at) => ({
      ...one,
      runId: `r${at}`,
      ordinal: at,
    }));
    const page = { isReset: false, gone: [], live: [], cursor: "c", hasMore: false };
    expect(state.takePage({ ...page, runs }, 0).runs.length).toBe(1_002);
    expect(state.takeWatches().begun.length).toBe(1_000);
    expect(state.takePage({ ...page, runs }, 1).runs).toEqual(runs.slice(1_000));
    state.notify("r1001");
    expect(state.plan(1).runIds).toEqual([]);
    const ended = {
      ...one,
      runId: "r0",
      ordinal: 0,
      lastSequence: 1,
      runStatus: "completed" as const,
    };
    state.takePage({ ...page, runs: [ended, { ...one, runId: "r1001", ordinal: 1_001 }] }, 2);
    expect(state.takeWatches()).toEqual({ begun: ["r1001"], ended: ["r0"] });
  });

  it("W48: of very many ends the oldest are forgotten, and the live runs are not", async () => {
    const state = new FeedState(null);
    const run = async (runId: string, ends: boolean): Promise<RunRecord> => {
      const store = createMemoryStore();
      await store.createRun({ runId, ownerId: "ada", metadata: "null" });
      if (ends) await store.append([appendRequest([newEvent("RUN_COMPLETED")], { runId })]);
      return (await store.getRun(runId)) as RunRecord;
    };
    const page = { isReset: false, gone: [], live: [], cursor: "c", hasMore: false };
    const live = await run("live", false);
    const first = await run("first", true);
    state.takePage({ ...page, runs: [live, first] }, 0);
    expect(state.takePage({ ...page, runs: [live, first] }, 1).runs).toEqual([]);
    for (let at = 0; at < 1_000; at++) {
      const ended = { ...first, runId: `ended-${at}`, ordinal: 10 + at };
      state.takePage({ ...page, runs: [ended] }, 2);
    }
    expect(state.takePage({ ...page, runs: [live, first] }, 3).runs).toEqual([first]);
  });
});
