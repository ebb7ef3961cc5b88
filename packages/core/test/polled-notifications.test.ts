import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RunName } from "../src/rules/head.ts";
import type { Position } from "../src/store/notifier.ts";
import { createPolledNotifications } from "../src/store/polled-notifications.ts";
import type { Committed } from "../src/store/sync-work.ts";
import { createFakeClock } from "./fake-clock.ts";

const RUN_IDS = ["a", "b"] as const;

const run = (runId: string): RunName => ({ ownerId: "ada", runId });

/** A commit that creates or removes the run. */
const created = (runId: string): Committed => ({ ...run(runId), ordinal: 1, lastSequence: null });

/** A table of heads that others write to, and a store that polls it. */
function world() {
  const clock = createFakeClock();
  const table = new Map<string, Position>();
  const asked: (readonly string[])[] = [];
  let ordinal = 0;
  const notifications = createPolledNotifications({
    selectPositions(names) {
      asked.push(names.map(({ runId }) => runId));
      return names.flatMap(({ runId }) => table.get(runId) ?? []);
    },
    pollMs: 10,
    clock,
  });
  const commits = {
    create: (runId: string) =>
      table.set(runId, { ...run(runId), ordinal: ++ordinal, lastSequence: 0 }),
    append(runId: string) {
      const head = table.get(runId);
      if (head) table.set(runId, { ...head, lastSequence: head.lastSequence + 1 });
    },
    delete: (runId: string) => table.delete(runId),
  };
  return { clock, table, asked, notifications, commits };
}

describe("the subscriptions to owners", () => {
  /** Polls each 10 ms whether anything has changed, as of a file. */
  function owners() {
    const clock = createFakeClock();
    const state = {
      changed: false,
      notified: 0,
      moved: [] as string[],
      heard: [] as (string | null)[],
    };
    const notifications = createPolledNotifications({
      selectPositions() {
        const answer = state.changed ? [] : null;
        state.changed = false;
        return answer;
      },
      selectMoved: () => state.moved.splice(0).map((runId) => ({ runId, ownerId: "ada" })),
      pollMs: 10,
      clock,
    });
    const subscription = notifications.subscribe({ ownerId: "ada" }, (runId) => {
      state.notified += 1;
      state.heard.push(runId);
    });
    const pass = async (ms: number): Promise<void> => {
      clock.advance(ms);
      await Promise.resolve();
    };
    return { state, notifications, subscription, pass };
  }

  it("S13: they are notified of others' changes within a second, once a second at most, and of none without a change", async () => {
    const { state, pass } = owners();
    for (let second = 0; second < 3; second++) {
      for (let at = 0; at < 5; at++) {
        state.changed = true;
        await pass(10);
      }
      await pass(1_000);
    }
    await pass(5_000);
    expect(state.notified).toBeGreaterThanOrEqual(3);
    expect(state.notified).toBeLessThanOrEqual(6);
    const before = state.notified;
    state.changed = true;
    await pass(10);
    await pass(990);
    expect(state.notified).toBe(before + 1);
    await pass(60_000);
    expect(state.notified).toBe(before + 1);
  });

  it("S13: they are notified of this store's own changes at once, and not after they were stopped", async () => {
    const { state, notifications, subscription, pass } = owners();
    notifications.committed([created("r")]);
    await Promise.resolve();
    expect(state.heard).toEqual(["r"]);
    subscription.stop();
    notifications.committed([created("r")]);
    state.changed = true;
    await pass(2_000);
    expect(state.notified).toBe(1);
  });

  it("S13: they are notified of each run that others have moved with the next poll, and of none twice", async () => {
    const { state, pass } = owners();
    state.changed = true;
    await pass(10);
    state.heard = [];
    for (const runId of ["a", "b"]) {
      state.moved = [runId];
      state.changed = true;
      await pass(10);
      expect(state.heard.filter((heard) => heard !== null)).toEqual([runId]);
      state.heard = [];
    }
  });
});

describe("createPolledNotifications", () => {
  it("S13: the next poll notifies of another process's commit on a subscribed run", async () => {
    const action = fc.record({
      runId: fc.constantFrom(...RUN_IDS),
      kind: fc.constantFrom("create", "append", "delete"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 20 }), async (actions) => {
        const { clock, table, notifications, commits } = world();
        const notifyCount = { a: 0, b: 0 };
        for (const runId of RUN_IDS)
          notifications.subscribe(run(runId), () => void (notifyCount[runId] += 1));
        clock.advance(10);
        await Promise.resolve();
        expect(notifyCount).toEqual({ a: 1, b: 1 });
        for (const { runId, kind } of actions) {
          const before = { ...notifyCount };
          const head = table.get(runId);
          if (kind === "create" && head !== undefined) continue;
          commits[kind](runId);
          const moved = table.get(runId) !== head;
          clock.advance(10);
          await Promise.resolve();
          for (const other of RUN_IDS) {
            expect(notifyCount[other] - before[other]).toBe(other === runId && moved ? 1 : 0);
          }
        }
        notifications.close();
        expect(clock.timers()).toBe(0);
      }),
    );
  });

  it("S13: own commits notify at once, and not again by a poll that finds them or is older", async () => {
    const { clock, notifications, commits, table } = world();
    let notifyCount = 0;
    notifications.subscribe(run("a"), () => void (notifyCount += 1));
    commits.create("a");
    commits.append("a");
    const head = table.get("a");
    if (head === undefined) throw new Error("There is no head.");
    notifications.committed([head]);
    await Promise.resolve();
    expect(notifyCount).toBe(1);
    table.set("a", { ...head, lastSequence: 0 });
    clock.advance(100);
    await Promise.resolve();
    expect(notifyCount).toBe(1);
  });

  it("S13: without subscriptions nothing is polled, and one query polls all subscribed runs", () => {
    const { clock, asked, notifications } = world();
    clock.advance(100);
    expect(asked).toEqual([]);
    const subscriptions = RUN_IDS.map((runId) => notifications.subscribe(run(runId), () => {}));
    clock.advance(20);
    expect(asked).toEqual([RUN_IDS, RUN_IDS]);
    for (const { stop } of subscriptions) stop();
    clock.advance(100);
    expect(asked).toHaveLength(2);
    expect(clock.timers()).toBe(0);
  });

  it("S13, S18: no notification comes after stop, and a subscription after close is refused", async () => {
    const { clock, notifications, commits } = world();
    let notifyCount = 0;
    const { stop } = notifications.subscribe(run("a"), () => void (notifyCount += 1));
    stop();
    commits.create("a");
    notifications.committed([created("a")]);
    clock.advance(100);
    notifications.subscribe(run("a"), () => void (notifyCount += 1));
    notifications.close();
    clock.advance(100);
    await Promise.resolve();
    expect(notifyCount).toBe(0);
    const { ready } = notifications.subscribe(run("a"), () => {});
    await expect(ready).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("S13: nothing is polled if only this store commits", () => {
    const clock = createFakeClock();
    const notifications = createPolledNotifications({ selectPositions: null, pollMs: 10, clock });
    notifications.subscribe(run("a"), () => {});
    expect(clock.timers()).toBe(0);
  });
});
