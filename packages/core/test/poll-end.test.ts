import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import type { RunStatus } from "../src/rules/event.ts";
import { pollForEnd } from "../src/work/poll-end.ts";
import { createDeferred, type Deferred } from "./deferred.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

/** A step of time. */
const STEP_MS = 10;
const EVERY_MS = 500;
/** The sum of the pauses between two polls, with two checks that find the writer quiet. */
const SPARE_MS = 600;

interface Polls {
  readonly clock: FakeClock;
  readonly polledAt: readonly number[];
  readonly ends: readonly unknown[];
  readonly isPolled: () => boolean;
  readonly append: () => void;
  readonly cancel: () => void;
  /** From now on polls reject with this; `null` for no more. */
  readonly refuse: (reason: unknown) => void;
  readonly stop: () => void;
  readonly pass: (ms: number) => Promise<void>;
}

/** A run whose polls a server holds until it has moved, and a writer that is quiet except when it appends. */
function watchByPolls(): Polls {
  const clock = createFakeClock();
  const polledAt: number[] = [];
  const ends: unknown[] = [];
  let runStatus: RunStatus = "running";
  let lastSequence = 0;
  let landings = 0;
  let refusal: unknown = null;
  let held: Deferred<void> | null = null;
  const watch = pollForEnd({
    clock,
    known: () => landings,
    landings: () => landings,
    onEnd: (refusal) => ends.push(refusal),
    async poll(since) {
      polledAt.push(clock.now());
      if (refusal !== null) throw refusal;
      if (lastSequence <= since) {
        held = createDeferred();
        await held.promise;
        held = null;
      }
      return { runStatus, lastSequence };
    },
  });
  const move = (): void => {
    lastSequence += 1;
    held?.resolve();
  };
  return {
    clock,
    polledAt,
    ends,
    isPolled: () => held !== null,
    append() {
      landings += 1;
      move();
    },
    cancel() {
      runStatus = "cancelled";
      move();
    },
    refuse: (reason) => void (refusal = reason),
    stop: watch.stop,
    async pass(ms) {
      await setImmediate();
      for (let left = ms; left > 0; left -= STEP_MS) {
        clock.advance(Math.min(left, STEP_MS));
        await setImmediate();
      }
    },
  };
}

describe("pollForEnd", () => {
  it("W13: a poll is held whenever the writer has been quiet for a while, and two polls are never close", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1_500), { maxLength: 20 }), async (gaps) => {
        const run = watchByPolls();
        for (const gap of gaps) {
          await run.pass(gap);
          if (gap >= SPARE_MS) expect(run.isPolled()).toBe(true);
          run.append();
        }
        await run.pass(SPARE_MS);
        run.polledAt.slice(1).forEach((at, index) => {
          expect(at - (run.polledAt[index] ?? 0)).toBeGreaterThanOrEqual(EVERY_MS);
        });
        run.cancel();
        await setImmediate();
        expect(run.ends).toMatchObject([{ code: "run_finished" }]);
        run.stop();
        expect(run.clock.timers()).toBe(0);
      }),
    );
  });

  it("pollForEnd reports a refusal, rests for half a minute, and polls again", async () => {
    const run = watchByPolls();
    const refusal = new RunEventsError("unauthenticated", "No.");
    run.refuse(refusal);
    await run.pass(10_000);
    expect([run.polledAt.length, run.ends]).toStrictEqual([1, [refusal]]);
    run.refuse(null);
    await run.pass(21_000);
    run.cancel();
    await setImmediate();
    expect(run.ends.at(-1)).toMatchObject({ code: "run_finished" });
    run.stop();
    expect(run.clock.timers()).toBe(0);
  });
});
