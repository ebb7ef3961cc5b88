import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunEventsError } from "../src/rules/errors.ts";
import { FAILURE } from "./interleaving.ts";
import { rounds } from "./rounds.ts";
import type { TailReader } from "./tail-reader.ts";
import {
  ABORTED,
  createTailWorld,
  play,
  quieten,
  record,
  settle,
  tailActions,
  type TailWorld,
} from "./tail-world.ts";

const USUAL = { open: 1, ready: 1, answer: 2, answerLate: 1, take: 2, append: 1 };
const NOTIFICATIONS = { notify: 2, notifyTwice: 1, loseNotification: 1, recheck: 1 };
const GOING = { leave: 1, abort: 1 };

function sequencesOf(tail: TailReader): readonly number[] {
  return tail.seen.map((event) => event.sequence);
}

function from(since: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => since + 1 + index);
}

/** An aborted tail waits no longer, for anything. */
function expectNoneHangs({ readers }: TailWorld): void {
  for (const { tail } of readers) if (tail.aborted()) expect(tail.state()).not.toBe("waiting");
}

/** Checks what holds of every tail at its end: it has had a stretch of the log, and is over. */
function expectStretch(tail: TailReader): void {
  expect(sequencesOf(tail)).toStrictEqual(from(tail.since, tail.seen.length));
  expect(["finished", "left", "failed"]).toContain(tail.state());
}

function expectNothingLeft({ source, clock }: TailWorld): void {
  const left = {
    subscriptions: source.subscriptions(),
    timers: clock.timers(),
    reads: source.reads.length,
    // The timer that keeps the process alive while a tail waits.
    intervals: vi.getTimerCount(),
  };
  expect(left).toStrictEqual({ subscriptions: 0, timers: 0, reads: 0, intervals: 0 });
}

beforeAll(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});

afterAll(() => {
  vi.useRealTimers();
});

describe("the tails of one run", () => {
  it("S9, S13: under every interleaving each reader gets since+1 to the end, once, in order, and ends", async () => {
    await fc.assert(
      fc.asyncProperty(
        tailActions({ ...USUAL, appendLarge: 1, ...NOTIFICATIONS, ...GOING }),
        async (actions) => {
          const world = await createTailWorld();
          await play(world, actions, expectNoneHangs);
          record(world, "RUN_COMPLETED", "null");
          await settle(world);
          for (const { tail } of world.readers) {
            expectStretch(tail);
            if (tail.state() === "failed") expect(tail.error()).toBe(ABORTED);
            if (tail.state() === "finished")
              expect(tail.since + tail.seen.length).toBe(world.lastSequence);
          }
          expectNothingLeft(world);
        },
      ),
      { numRuns: rounds(1_000) },
    );
  });

  it("S13: while no notification is lost no reader waits for existing events", async () => {
    await fc.assert(
      fc.asyncProperty(tailActions({ ...USUAL, notify: 2, ...GOING }), async (actions) => {
        const world = await createTailWorld();
        await play(world, actions, expectNoneHangs);
        await quieten(world);
        for (const { tail } of world.readers) {
          if (tail.state() === "waiting")
            expect(tail.since + tail.seen.length).toBe(world.lastSequence);
          tail.abort(ABORTED);
        }
        await settle(world);
        expectNothingLeft(world);
      }),
      { numRuns: rounds(1_000) },
    );
  });

  it("S17, S20: a run that is deleted and created again, or a read that fails, ends its readers, and never mixes two logs", async () => {
    await fc.assert(
      fc.asyncProperty(
        tailActions({ ...USUAL, ...NOTIFICATIONS, ...GOING, replace: 1, fail: 1 }),
        async (actions) => {
          const world = await createTailWorld();
          await play(world, actions, expectNoneHangs);
          record(world, "RUN_COMPLETED", String(world.generation));
          await settle(world);
          for (const { tail, generation } of world.readers) {
            expectStretch(tail);
            expect(new Set(tail.seen.map((event) => event.payload)).size).toBeLessThanOrEqual(1);
            const error = tail.error();
            if (tail.state() !== "failed" || error === ABORTED || error === FAILURE) continue;
            const { code } = error as RunEventsError;
            // The run that this reader was opened on still exists: the error may be retryable, but not `not_found`.
            if (generation === world.generation) expect(code).toBe("store_unavailable");
            else expect(["not_found", "store_unavailable", "cursor_ahead"]).toContain(code);
          }
          expectNothingLeft(world);
        },
      ),
      { numRuns: rounds(1_000) },
    );
  });
});
