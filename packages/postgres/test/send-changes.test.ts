import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunChange } from "../src/run-changes.ts";
import { createChangeSender, type ChangeSender } from "../src/send-changes.ts";

/** Other processes that answer a send only when the test calls `answer`. */
function createSlowOthers() {
  const sent: (readonly RunChange[])[] = [];
  let answers: ((fails: boolean) => void)[] = [];
  return {
    /** The changes of each send. */
    sent,
    underWay: () => answers.length,
    send(changes: Iterable<RunChange>): Promise<void> {
      sent.push([...changes]);
      return new Promise((resolve, reject) => {
        answers.push((fails) => (fails ? reject(new Error("no connection")) : resolve()));
      });
    },
    async answer(fails: boolean): Promise<void> {
      const [answer, ...rest] = answers;
      answers = rest;
      answer?.(fails);
      await vi.advanceTimersByTimeAsync(0);
    },
  };
}

function changeOf(runId: string, lastSequence: number): RunChange {
  return { runId, ownerId: "ada", ordinal: 1, lastSequence };
}

function covers(change: RunChange, lastSequence: number): boolean {
  return "ordinal" in change && change.lastSequence >= lastSequence;
}

type Action =
  | { readonly kind: "add"; readonly runIds: readonly string[] }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "answer"; readonly fails: boolean };

const arbitraryAction: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("add"), runIds: fc.subarray(["a", "b", "c"]) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait"), ms: fc.nat({ max: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("answer"), fails: fc.boolean() }) },
);

/** Resolves once nothing is passed on, sent or waited for any more. */
async function settle(others: ReturnType<typeof createSlowOthers>): Promise<void> {
  while (others.underWay() > 0 || vi.getTimerCount() > 0) {
    await others.answer(false);
    await vi.advanceTimersByTimeAsync(1);
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

describe("the sender of changes", () => {
  it("S13: every commit is followed by a notification and a send, one send at a time, even after failures", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryAction, { maxLength: 40 }), async (actions) => {
        const others = createSlowOthers();
        const notifiedRuns: RunChange[] = [];
        const sender = createChangeSender({
          notify: (change) => void notifiedRuns.push(change),
          send: others.send,
        });
        /** Each run's last commit, and how many notifications and sends came before it was added. */
        const last = new Map<
          string,
          { sequence: number; notifyCount: number; sendCount: number }
        >();
        let elapsedMs = 0;
        for (const action of actions) {
          switch (action.kind) {
            case "add": {
              const changes = action.runIds.map((runId) => {
                const sequence = (last.get(runId)?.sequence ?? 0) + 1;
                last.set(runId, {
                  sequence,
                  notifyCount: notifiedRuns.length,
                  sendCount: others.sent.length,
                });
                return changeOf(runId, sequence);
              });
              sender.add(changes);
              break;
            }
            case "wait":
              elapsedMs += action.ms;
              await vi.advanceTimersByTimeAsync(action.ms);
              break;
            case "answer":
              await others.answer(action.fails);
          }
          expect(others.underWay()).toBeLessThanOrEqual(1);
          // A pause of at least a millisecond follows whenever changes are passed on, and each send comes after that.
          expect(others.sent.length).toBeLessThanOrEqual(elapsedMs + 1);
        }
        await settle(others);
        for (const [runId, { sequence, notifyCount, sendCount }] of last) {
          const isSent = (change: RunChange): boolean =>
            change.runId === runId && covers(change, sequence);
          expect(notifiedRuns.slice(notifyCount).some(isSent)).toBe(true);
          expect(others.sent.slice(sendCount).some((changes) => changes.some(isSent))).toBe(true);
        }
      }),
    );
  });

  it("S13: a commit after a quiet time is notified of and sent at once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        async (counts) => {
          const others = createSlowOthers();
          const notifiedRuns: RunChange[] = [];
          const sender = createChangeSender({
            notify: (change) => void notifiedRuns.push(change),
            send: others.send,
          });
          for (const [index, count] of counts.entries()) {
            const changes = Array.from({ length: count }, (_, run) =>
              changeOf(`run-${run}`, index),
            );
            const before = notifiedRuns.length;
            sender.add(changes);
            expect(notifiedRuns.slice(before)).toEqual(changes);
            expect(others.sent.at(-1)).toEqual(changes);
            await others.answer(false);
            await vi.advanceTimersByTimeAsync(Math.min(count, 5));
          }
          expect(others.sent).toHaveLength(counts.length);
        },
      ),
    );
  });

  it("S13: changes are passed on 200 times a second at most under load, and at once without load", async () => {
    const others = createSlowOthers();
    const notifiedRuns: RunChange[] = [];
    const sender: ChangeSender = createChangeSender({
      notify: (change) => void notifiedRuns.push(change),
      send: others.send,
    });
    for (let ms = 0; ms < 1_000; ms++) {
      for (const run of [1, 2]) sender.add([changeOf(`run-${run}`, ms)]);
      await others.answer(false);
      await vi.advanceTimersByTimeAsync(1);
    }
    // The first few come before the load is known.
    expect(others.sent.length).toBeLessThanOrEqual(205);
    expect(others.sent.length).toBeGreaterThan(190);
  });

  it("S13: a send that hangs delays no notification of this process, and the next sends what came meanwhile", async () => {
    const others = createSlowOthers();
    const notifiedRuns: RunChange[] = [];
    const sender = createChangeSender({
      notify: (change) => void notifiedRuns.push(change),
      send: others.send,
    });
    sender.add([changeOf("a", 1)]);
    for (const sequence of [2, 3, 4]) {
      await vi.advanceTimersByTimeAsync(5);
      sender.add([changeOf("a", sequence), changeOf("b", sequence)]);
    }
    expect(notifiedRuns.at(-1)).toEqual(changeOf("b", 4));
    expect(others.sent).toEqual([[changeOf("a", 1)]]);
    await others.answer(true);
    expect(others.sent[1]).toEqual([changeOf("a", 4), changeOf("b", 4)]);
    await settle(others);
    expect(others.sent).toHaveLength(2);
  });

  it("S13, S18: `close` passes on and sends what is left, ignores later changes, and leaves no timer", async () => {
    const others = createSlowOthers();
    const notifiedRuns: RunChange[] = [];
    const sender = createChangeSender({
      notify: (change) => void notifiedRuns.push(change),
      send: others.send,
    });
    sender.add([changeOf("a", 1)]);
    sender.add([changeOf("a", 2)]);
    let isClosed = false;
    void sender.close().then(() => (isClosed = true));
    sender.add([changeOf("a", 3)]);
    expect(vi.getTimerCount()).toBe(0);
    await others.answer(false);
    expect(isClosed).toBe(false);
    await others.answer(true);
    expect(isClosed).toBe(true);
    expect(notifiedRuns).toEqual([changeOf("a", 1), changeOf("a", 2)]);
    expect(others.sent).toEqual([[changeOf("a", 1)], [changeOf("a", 2)]]);
  });
});
