import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunEventsError } from "../src/rules/errors.ts";
import { rounds } from "./rounds.ts";
import type { TailReader } from "./tail-reader.ts";
import {
  ABORTED,
  createTailWorld,
  FAILURE,
  play,
  quieten,
  record,
  settle,
  tailActions,
  type TailWorld,
} from "./tail-world.ts";

const USUAL = [
  "open",
  "ready",
  "answer",
  "answer",
  "answerLate",
  "take",
  "take",
  "append",
] as const;
const NOTIFICATIONS = ["notify", "notify", "notifyTwice", "loseNotification", "recheck"] as const;
const GOING = ["leave", "abort"] as const;

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
        tailActions(...USUAL, "appendLarge", ...NOTIFICATIONS, ...GOING),
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
      fc.asyncProperty(tailActions(...USUAL, "notify", "notify", ...GOING), async (actions) => {
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

  it("S13: with every notification lost the recheck alone brings everything", async () => {
    await fc.assert(
      fc.asyncProperty(tailActions(...USUAL, "appendLarge"), async (actions) => {
        const world = await createTailWorld();
        await play(world, actions, expectNoneHangs);
        record(world, "RUN_FAILED", "null");
        await settle(world);
        for (const { tail } of world.readers) {
          expect(tail.state()).toBe("finished");
          expect(sequencesOf(tail)).toStrictEqual(
            from(tail.since, world.lastSequence - tail.since),
          );
        }
        expectNothingLeft(world);
      }),
      { numRuns: rounds(200) },
    );
  });

  it("S17: a run that is deleted and created again ends its readers, and never mixes the two logs", async () => {
    await fc.assert(
      fc.asyncProperty(
        tailActions(...USUAL, ...NOTIFICATIONS, ...GOING, "replace"),
        async (actions) => {
          const world = await createTailWorld();
          await play(world, actions, expectNoneHangs);
          record(world, "RUN_COMPLETED", String(world.generation));
          await settle(world);
          for (const { tail, generation } of world.readers) {
            expectStretch(tail);
            expect(new Set(tail.seen.map((event) => event.payload)).size).toBeLessThanOrEqual(1);
            if (tail.state() !== "failed" || tail.error() === ABORTED) continue;
            const { code } = tail.error() as RunEventsError;
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

  it("S20: a read that fails ends its readers with the store's own error, and leaves nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        tailActions(...USUAL, ...NOTIFICATIONS, ...GOING, "fail"),
        async (actions) => {
          const world = await createTailWorld();
          await play(world, actions, expectNoneHangs);
          record(world, "RUN_COMPLETED", "null");
          await settle(world);
          for (const { tail } of world.readers) {
            expectStretch(tail);
            if (tail.state() === "failed") expect([ABORTED, FAILURE]).toContain(tail.error());
          }
          expectNothingLeft(world);
        },
      ),
      { numRuns: rounds(300) },
    );
  });
});
