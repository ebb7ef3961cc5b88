import { describe, expect, it } from "vitest";
import { createMemoryStore, createRunEvents } from "../src/index.ts";
import { STATE_PAUSE_MS, type WatchSource } from "../src/follow/owner-watch.ts";
import { Watches } from "../src/follow/watches.ts";
import type { RunList } from "../src/rules/run-list.ts";
import type { RunRecord } from "../src/rules/run.ts";
import type { OnNotification } from "../src/store/notifier.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { createFakeClock } from "./fake-clock.ts";
import { settle } from "./feed-bench.ts";
import { runRecord } from "./run-record.ts";

const ADA = { ownerId: "ada" };

/** An API over a memory store that counts its calls. */
function world() {
  const memory = createMemoryStore();
  const clock = createFakeClock();
  const calls = { looks: 0, read: 0, subscriptions: 0 };
  const store: RunEventStore = {
    ...memory,
    async list(query) {
      if ("due" in query) return memory.list(query);
      if (query.runStatus === "live") calls.looks += 1;
      return memory.list(query);
    },
    read(queries) {
      calls.read += queries.length;
      return memory.read(queries);
    },
    subscribe(subject, onNotification) {
      calls.subscriptions += 1;
      return memory.subscribe(subject, onNotification);
    },
  };
  const runs = createRunEvents({ store, clock });
  const lists: RunList[] = [];
  const pass = async (): Promise<void> => {
    await settle();
    clock.advance(STATE_PAUSE_MS);
    await settle();
  };
  return { runs, clock, calls, lists, pass };
}

type World = ReturnType<typeof world>;

/** Takes every list, one after the other. */
function follow({ runs, lists }: World, topic: string | null = null): AbortController {
  const over = new AbortController();
  void (async () => {
    for await (const list of runs.watch({ ...ADA, topic, signal: over.signal })) lists.push(list);
  })().catch(() => {});
  return over;
}

function wordsOf(list: RunList | undefined): readonly string[] {
  return (list?.runs ?? []).map((run) => `${run.runId} ${run.runStatus} ${run.lastSequence}`);
}

describe("runs.watch", () => {
  it("W48: it yields the whole list, newest first, and again after each change", async () => {
    const ours = world();
    const { runs, lists, pass } = ours;
    for (const runId of ["a", "b"]) await runs.create({ ...ADA, runId, topic: "tea" });
    follow(ours);
    await pass();
    expect(lists.map(wordsOf)).toEqual([["b queued 0", "a queued 0"]]);
    await runs.append("a", [{ eventType: "RUN_COMPLETED" }], ADA);
    await pass();
    await runs.create({ ...ADA, runId: "c" });
    await pass();
    await runs.delete("a", ADA);
    await pass();
    expect(lists.slice(1).map(wordsOf)).toEqual([
      ["b queued 0", "a completed 1"],
      ["c queued 0", "b queued 0", "a completed 1"],
      ["c queued 0", "b queued 0"],
    ]);
  });

  it("W48: of many events a reader gets the newest state, four times a second at most", async () => {
    const ours = world();
    const { runs, lists, pass, clock } = ours;
    for (const runId of ["busy", "other"]) await runs.create({ ...ADA, runId });
    follow(ours);
    await pass();
    lists.length = 0;
    for (let at = 0; at < 100; at++) {
      await runs.append("busy", [{ eventType: "TOKEN" }], ADA);
      await settle();
      clock.advance(10);
    }
    expect(lists.length).toBeGreaterThanOrEqual(4);
    expect(lists.length).toBeLessThanOrEqual(5);
    await runs.append("busy", [{ eventType: "TOKEN" }], ADA);
    await runs.append("other", [{ eventType: "TOKEN" }], ADA);
    await pass();
    expect(wordsOf(lists.at(-1))).toEqual(["other running 1", "busy running 101"]);
  });

  it("W48: readers of a list share its looks and reads, and a look has no run read by itself", async () => {
    const ours = world();
    const { runs, lists, pass, calls } = ours;
    for (let at = 0; at < 200; at++) await runs.create({ ...ADA, runId: `r${at}` });
    for (let at = 0; at < 20; at++) follow(ours);
    await pass();
    await pass();
    expect(lists).toHaveLength(20);
    expect([calls.looks, calls.subscriptions]).toEqual([1, 1]);
    // The metadata of each run, for the first reader.
    expect(calls.read).toBeLessThanOrEqual(2 * 200);
    calls.read = 0;
    await runs.append("r7", [{ eventType: "TOKEN" }], ADA);
    await pass();
    expect([lists.length, calls.looks, calls.read]).toEqual([40, 1, 1]);
    const append = (at: number) => runs.append(`r${at}`, [{ eventType: "TOKEN" }], ADA);
    await Promise.all(Array.from({ length: 200 }, (_, at) => append(at)));
    await pass();
    await pass();
    expect(wordsOf(lists.at(-1)).filter((words) => words.endsWith("0"))).toEqual([]);
    // So many are found by one look.
    expect([calls.looks, calls.read]).toEqual([2, 1]);
  });

  it("W48: a list has the newest of very many live runs, says that there are others, and gets one back for each that ends", async () => {
    const ours = world();
    const { runs, lists, pass } = ours;
    for (let at = 0; at < 1_003; at++) await runs.create({ ...ADA, runId: `r${at}` });
    follow(ours);
    while (lists.length === 0) await pass();
    expect([lists.at(-1)?.runs.length, lists.at(-1)?.more]).toEqual([1_000, true]);
    expect(wordsOf(lists.at(-1)).at(-1)).toBe("r3 queued 0");
    await runs.append("r500", [{ eventType: "RUN_COMPLETED" }], ADA);
    await pass();
    await pass();
    expect(wordsOf(lists.at(-1))).toEqual(
      expect.arrayContaining(["r500 completed 1", "r2 queued 0"]),
    );
    await runs.create({ ...ADA, runId: "new" });
    await pass();
    await pass();
    expect(wordsOf(lists.at(-1)).filter((words) => words === "r2 queued 0")).toEqual([]);
  });

  it("W48: bad options are refused with what to do, and a closed log refuses", async () => {
    const { runs } = world();
    const bad = runs.watch({ ...ADA, topic: "" })[Symbol.asyncIterator]();
    await expect(bad.next()).rejects.toMatchObject({ code: "invalid_request" });
    await expect(runs.watch({ ownerId: "" })[Symbol.asyncIterator]().next()).rejects.toThrow(
      "Expected `ownerId`",
    );
    await runs.close();
    await expect(runs.watch(ADA)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "store_unavailable",
    });
  });
});

describe("log.readList", () => {
  it("W48: it answers the list as of a time after the call, or that it still has a version", async () => {
    const { runs, pass } = world();
    const read = async (more: object) => {
      const answer = runs.log.readList({ ...ADA, ...more });
      await pass();
      return answer;
    };
    await runs.create({ ...ADA, runId: "a", metadata: { m: 1 } });
    await runs.append("a", [{ eventType: "TOKEN", payload: 7 }], ADA);
    const first = await read({ last: true });
    expect(first).toMatchObject({ isSame: false, runs: [{ runId: "a" }], more: false });
    expect(first.isSame ? null : first.last.get("a")?.payload).toBe("7");
    const { version } = first;
    expect(await read({ have: version })).toEqual({ isSame: true, version });
    const waiting = runs.log.readList({ ...ADA, have: version, waits: true });
    await pass();
    await runs.append("a", [{ eventType: "TOKEN" }], ADA);
    await pass();
    expect(await waiting).toMatchObject({ isSame: false, runs: [{ lastSequence: 2 }] });
    const over = new AbortController();
    const left = runs.log.readList({ ...ADA, have: version, waits: true, signal: over.signal });
    over.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
  });

  it("W48, W49: a turn of the event loop comes in between two parts of a long list", async () => {
    let turns = 0;
    let listedAt = 0;
    const memory = createMemoryStore();
    const list: RunEventStore["list"] = async (query) => {
      listedAt = turns;
      return memory.list(query);
    };
    const runs = createRunEvents({ store: { ...memory, list } });
    for (let at = 0; at < 500; at++) await runs.create(ADA);
    let next = setImmediate(function count() {
      turns += 1;
      next = setImmediate(count);
    });
    await runs.log.readList(ADA);
    // The metadata is known by now.
    expect(await runs.log.readList(ADA)).toMatchObject({ isSame: false });
    // 48 KiB a part, and at least 512 bytes a run.
    expect(turns - listedAt).toBeGreaterThanOrEqual(5);
    clearImmediate(next);
    await runs.close();
  });

  it("W48: a list has no run that was created after its version, since the version comes again when that run is removed", async () => {
    const memory = createMemoryStore();
    const clock = createFakeClock();
    const released = Promise.withResolvers<void>();
    const read: RunEventStore["read"] = async (queries) => {
      if (queries.some(({ runId }) => runId === "r-0")) await released.promise;
      return memory.read(queries);
    };
    const runs = createRunEvents({ store: { ...memory, read }, clock });
    const metadata = "x".repeat(20_000);
    for (let at = 0; at < 8; at++) await runs.create({ ...ADA, runId: `r-${at}`, metadata });
    const reading = runs.log.readList(ADA);
    await settle();
    await runs.create({ ...ADA, runId: "late" });
    for (let pause = 0; pause < 4; pause++) {
      clock.advance(STATE_PAUSE_MS);
      await settle();
    }
    released.resolve();
    await settle();
    const list = await reading;
    const ids = list.isSame ? [] : list.runs.map(({ runId }) => runId);
    expect(ids).toEqual(Array.from({ length: 8 }, (_, at) => `r-${7 - at}`));
    await runs.close();
  });

  it("W48: a run that is deleted while a page is filled is gone in that page", async () => {
    const clock = createFakeClock();
    const stored = new Map<string, RunRecord>();
    const released = Promise.withResolvers<void>();
    let reads = 0;
    let notify: OnNotification = () => {};
    const source: WatchSource = {
      async list() {
        return [...stored.values()];
      },
      async read({ runId }) {
        const run = stored.get(runId);
        // The watch reads the run first, after the notification, and then the page does.
        if (++reads === 2) await released.promise;
        return run === undefined ? null : { run, events: [] };
      },
      subscribe(_subject, onNotification) {
        notify = onNotification;
        return { ready: Promise.resolve(), stop() {} };
      },
    };
    const watches = new Watches(source, clock);
    const reader = watches.open({ ...ADA, topic: null }, { have: null, withLast: false });
    await reader.next();
    const reading = reader.next();
    for (const change of [
      () => stored.set("a", runRecord({ ...ADA, runId: "a", metadata: "" })),
      () => stored.clear(),
    ]) {
      change();
      notify("a");
      for (let pause = 0; pause < 4; pause++) {
        await settle();
        clock.advance(STATE_PAUSE_MS);
      }
      await settle();
    }
    released.resolve();
    expect(await reading).toMatchObject({ runs: [], gone: ["a"] });
    watches.close();
  });
});
