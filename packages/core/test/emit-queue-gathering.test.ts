import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { createEmitQueue, type EmitQueue, type QueueOptions } from "../src/work/emit-queue.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import {
  answerInTurn,
  draft,
  heavy,
  MAX_EVENTS,
  MEBIBYTE,
  payloadsOf,
  recordSent,
  type SentBatches,
} from "./sent-batches.ts";

interface Bench extends Pick<SentBatches, "sent"> {
  readonly clock: FakeClock;
  readonly queue: EmitQueue;
}

/** Merges the texts of neighbours. */
const CONCAT: Pick<QueueOptions, "merges"> = {
  merges: { TOKEN: (texts: string[]) => texts.join("") },
};

function createBench(roomBytes = MEBIBYTE, more: Partial<QueueOptions> = {}): Bench {
  const clock = createFakeClock();
  const { sent, send } = recordSent();
  const options = { maxEvents: MAX_EVENTS, gatherMs: 50, clock, roomBytes, ...more };
  return { clock, queue: createEmitQueue(send, () => {}, options), sent };
}

describe("a queue that gathers", () => {
  it("W9, W41: no append has more events than it may, however the types of merged ones alternate", async () => {
    const types = fc.array(fc.constantFrom("TOKEN", "TOKEN", "OTHER"), {
      maxLength: 120,
      size: "max",
    });
    await fc.assert(
      fc.asyncProperty(types, async (given) => {
        const { clock, queue, sent } = createBench(MEBIBYTE, CONCAT);
        const { order, answer } = answerInTurn(sent);
        for (const [at, eventType] of given.entries()) void queue.emit(draft(`${at} `, eventType));
        clock.advance(50);
        for (let turn = 0; turn <= given.length; turn++) {
          await setImmediate();
          answer();
        }
        for (const { payloads } of sent) expect(payloads.length).toBeLessThanOrEqual(MAX_EVENTS);
        const text = order.map((payload) => JSON.parse(payload) as string).join("");
        expect(text).toBe(given.map((_, at) => `${at} `).join(""));
      }),
    );
  });

  it("the queue makes callers wait for room beyond the bytes that it was given", async () => {
    const { clock, queue, sent } = createBench(8 * MEBIBYTE);
    let given = 0;
    const emitting = (async () => {
      for (; given < 200; given++) await queue.emit(draft(heavy()));
    })();
    for (let turn = 0; turn < 200; turn++) await setImmediate();
    clock.advance(50);
    expect(given).toBe(8 * 16);
    for (let answered = 0; given < 200; answered++) {
      await setImmediate();
      sent[answered]?.answer.resolve();
    }
    await emitting;
  });

  it("W41: callers that wait for room wait for no time to pass, only for appends", async () => {
    const { clock, queue, sent } = createBench();
    let given = 0;
    const emitting = (async () => {
      for (; given < 80; given++) await queue.emit(draft(heavy()));
    })();
    for (let turn = 0; turn < 400 && given < 80; turn++) {
      await setImmediate();
      sent[turn]?.answer.resolve();
    }
    expect(given).toBe(80);
    await emitting;
    clock.advance(50);
    await setImmediate();
    for (const { answer } of sent) answer.resolve();
    await setImmediate();
    // A full queue does not make each event an append of its own.
    expect(sent.length).toBeLessThanOrEqual(10);
    expect(sent.flatMap(({ payloads }) => payloads)).toHaveLength(80);
    expect(clock.timers()).toBe(0);
  });
});

describe("a batch that is refused as too large", () => {
  /**
   * Emits this many events to a server that refuses some batches.
   * @returns the landed events, and the size of each batch
   */
  async function emitTo(
    refusalOf: (numbers: readonly number[]) => RunEventsError | null,
    count: number,
  ): Promise<{ landed: number[]; sizes: number[]; failures: unknown[] }> {
    const landed: number[] = [];
    const sizes: number[] = [];
    const failures: unknown[] = [];
    const queue = createEmitQueue(
      async (events) => {
        const numbers = payloadsOf(events).map(Number);
        sizes.push(numbers.length);
        const refusal = refusalOf(numbers);
        if (refusal !== null) throw refusal;
        landed.push(...numbers);
      },
      (error) => failures.push(error),
      { maxEvents: MAX_EVENTS, gatherMs: 0, clock: createFakeClock() },
    );
    for (let at = 0; at < count; at++) void queue.emit(draft(at)).catch(() => {});
    await queue.ask(async () => {}, true);
    return { landed, sizes, failures };
  }

  it("W9: each event lands once and in order, up to the first that the server never takes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: MAX_EVENTS }),
        fc.option(fc.nat({ max: 60 }), { nil: Infinity }),
        fc.constantFrom("invalid_request" as const, "payload_too_large" as const),
        async (most, never, code) => {
          const refusal = new RunEventsError(code, "Too much.");
          const { landed, failures } = await emitTo(
            (numbers) => (numbers.length > most || numbers.includes(never) ? refusal : null),
            60,
          );
          const count = Math.min(never, 60);
          expect(landed).toStrictEqual(Array.from({ length: count }, (_, at) => at));
          expect(failures).toStrictEqual(never < 60 ? [refusal] : []);
        },
      ),
    );
  });

  it("S7: a batch in doubt is not sent in parts", async () => {
    const refusal = new RunEventsError("payload_too_large", "Too much.", { ambiguous: true });
    expect(await emitTo(() => refusal, 10)).toStrictEqual({
      landed: [],
      sizes: [10],
      failures: [refusal],
    });
  });
});
