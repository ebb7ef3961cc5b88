import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEmitQueue, type EmitQueue } from "../src/work/emit-queue.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import {
  answerInTurn,
  draft,
  heavy,
  MAX_EVENTS,
  MEBIBYTE,
  recordSent,
  type SentBatches,
} from "./sent-batches.ts";

interface Bench extends Pick<SentBatches, "sent"> {
  readonly clock: FakeClock;
  readonly queue: EmitQueue;
  readonly failures: unknown[];
}

function createBench(gatherMs = 0): Bench {
  const { sent, send } = recordSent();
  const failures: unknown[] = [];
  const clock = createFakeClock();
  const options = { maxEvents: MAX_EVENTS, gatherMs, clock };
  const queue = createEmitQueue(send, (error) => failures.push(error), options);
  return { clock, queue, sent, failures };
}

describe("createEmitQueue", () => {
  type Step =
    | { readonly do: "emit"; readonly count: number; readonly isHeavy: boolean }
    | { readonly do: "ask" | "answer" | "turn" }
    | { readonly do: "wait"; readonly ms: number };
  const emit = fc.constant("emit" as const);
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ do: emit, count: fc.constant(1), isHeavy: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: emit,
        count: fc.integer({ min: 2, max: 60 }),
        isHeavy: fc.constant(false),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("ask", "answer", "turn") }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("wait" as const),
        ms: fc.integer({ min: 1, max: 60 }),
      }),
    },
  );

  it("W9: the queue sends everything once, in the order of the calls, one append at a time, each within its bounds", async () => {
    const gathers = fc.constantFrom(0, 50);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), gathers, async (steps, gatherMs) => {
        const { clock, queue, sent, failures } = createBench(gatherMs);
        const { order, answer, open } = answerInTurn(sent);
        const given: string[] = [];
        for (const one of steps) {
          if (one.do === "emit") {
            for (let at = 0; at < one.count; at++) {
              const payload = `${given.length}${one.isHeavy ? heavy() : ""}`;
              given.push(JSON.stringify(payload));
              void queue.emit(draft(payload));
            }
          } else if (one.do === "ask") {
            const name = `ask ${given.length}`;
            given.push(name);
            void queue.ask(async () => void order.push(name));
          } else if (one.do === "answer") answer();
          else if (one.do === "wait") clock.advance(one.ms);
          else await setImmediate();
          expect(open()).toBeLessThanOrEqual(1);
        }
        for (let waits = 0; waits <= given.length; waits++) {
          clock.advance(gatherMs);
          await setImmediate();
          answer();
        }
        expect(order).toStrictEqual(given);
        expect([failures, clock.timers()]).toStrictEqual([[], 0]);
        for (const { payloads } of sent) {
          expect(payloads.length).toBeLessThanOrEqual(MAX_EVENTS);
          expect(payloads.join("").length).toBeLessThanOrEqual(MEBIBYTE);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("W7: no event follows a terminal event in its append", async () => {
    const { queue, sent } = createBench();
    void queue.emit(draft(1));
    void queue.emit(draft(2, "RUN_COMPLETED"));
    void queue.emit(draft(3));
    await setImmediate();
    sent[0]?.answer.resolve();
    await setImmediate();
    expect(sent.map(({ payloads }) => payloads)).toStrictEqual([["1", "2"], ["3"]]);
  });

  it("after an event that could not be sent the queue sends nothing, and fails every request with the reason", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 5 }), fc.nat({ max: 6 }), async (before, later) => {
        const { queue, sent, failures } = createBench();
        const error = new Error("refused");
        for (let at = 0; at < before; at++) {
          void queue.emit(draft(at));
          await setImmediate();
          sent[at]?.answer.resolve();
          await setImmediate();
        }
        void queue.emit(draft("fails"));
        await setImmediate();
        const rest = Array.from({ length: later }, (_, at) => queue.emit(draft(at)));
        const asked = queue.ask(async () => "asked");
        const anyway = queue.ask(async () => "asked anyway", true);
        sent[before]?.answer.reject(error);
        await expect(asked).rejects.toBe(error);
        expect(await anyway).toBe("asked anyway");
        // The queue had room for them.
        await Promise.all(rest);
        expect(() => queue.emit(draft("late"))).toThrow(error);
        expect(sent).toHaveLength(before + 1);
        expect(failures).toStrictEqual([error]);
        expect(queue.failure()).toStrictEqual({ error });
      }),
      { numRuns: 30 },
    );
  });

  it("the queue keeps only its first failure", async () => {
    const { queue, sent, failures } = createBench();
    expect(queue.failure()).toBeNull();
    void queue.emit(draft(1));
    queue.refuse(new Error("later"));
    await setImmediate();
    sent[0]?.answer.reject(undefined);
    await expect(queue.ask(async () => {})).rejects.toBeUndefined();
    expect(failures).toStrictEqual([undefined]);
    expect(queue.failure()).toStrictEqual({ error: undefined });
  });

  it("a caller that waits for room gets the reason of the failure", async () => {
    const { queue, sent } = createBench();
    const rooms = Array.from({ length: 40 }, () => queue.emit(draft(heavy())));
    const settled = Promise.allSettled(rooms);
    await setImmediate();
    sent[0]?.answer.reject(new Error("refused"));
    const reasons = (await settled).map((room) => room.status);
    expect(reasons.slice(0, 16)).not.toContain("rejected");
    expect(reasons.at(-1)).toBe("rejected");
  });

  it("the queue refuses an event, and takes no more memory, once 64 MiB wait", async () => {
    const { queue } = createBench();
    let taken = 0;
    const fill = (): void => {
      for (;;) {
        queue.emit(draft(heavy())).catch(() => {});
        taken += 1;
      }
    };
    expect(fill).toThrow(expect.objectContaining({ code: "store_unavailable", retryable: true }));
    expect(taken).toBe(64 * 16);
  });
});
