import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPoller } from "../src/store/poller.ts";
import { createFakeClock } from "./fake-clock.ts";

/** A poller whose polls take as long as the test says. */
function world({ mostPauseMs }: { readonly mostPauseMs?: number } = {}) {
  const clock = createFakeClock();
  const state = { isNeeded: true, fails: false, tookMs: 0, polls: [] as number[] };
  const poller = createPoller({
    poll() {
      state.polls.push(clock.now());
      clock.skip(state.tookMs);
      if (state.fails) throw new Error("no poll");
    },
    isNeeded: () => state.isNeeded,
    pauseMs: (failed) => (failed ? 100 : 10),
    mostPauseMs,
    clock,
  });
  return { clock, state, poller };
}

describe("createPoller", () => {
  it("S13: a poller polls at its period while it is needed, and not once after that", () => {
    const { clock, state, poller } = world();
    poller.start(10);
    poller.start(10);
    clock.advance(100);
    expect(state.polls).toHaveLength(10);
    state.isNeeded = false;
    clock.advance(1_000);
    expect(state.polls).toHaveLength(10);
    expect(clock.timers()).toBe(0);
    state.isNeeded = true;
    poller.start(10);
    clock.advance(10);
    expect(state.polls).toHaveLength(11);
  });

  it("S13: polls take a fifth of the time at most, unless that would exceed the longest pause", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.option(fc.constant(60)), (tookMs, most) => {
        const { clock, state, poller } = world(most === null ? {} : { mostPauseMs: most });
        state.tookMs = tookMs;
        poller.start(10);
        clock.advance(2_000);
        const gaps = state.polls.slice(1).map((at, before) => at - (state.polls[before] ?? 0));
        const pauseMs = Math.max(10, Math.min(4 * tookMs, most ?? Number.POSITIVE_INFINITY));
        for (const gap of gaps) expect(gap).toBe(tookMs + pauseMs);
      }),
    );
  });

  it("S13: a poll that fails is followed by another one, after the pause for failures", () => {
    const { clock, state, poller } = world();
    state.fails = true;
    poller.start(10);
    clock.advance(9 + 1);
    clock.advance(99);
    expect(state.polls).toHaveLength(1);
    clock.advance(1);
    expect(state.polls).toHaveLength(2);
  });

  it("S13: hurry brings a poll forward, and repeated calls do not delay it", () => {
    const { clock, state, poller } = world();
    poller.start(1_000);
    poller.hurry(10);
    for (let ms = 0; ms < 10; ms++) {
      poller.hurry(10);
      clock.advance(1);
    }
    expect(state.polls).toHaveLength(1);
  });

  it("S18: after stop a poller polls no more, after any calls", () => {
    const { clock, state, poller } = world();
    poller.start(10);
    poller.stop();
    poller.start(1);
    poller.hurry(1);
    clock.advance(1_000);
    expect(state.polls).toEqual([]);
    expect(clock.timers()).toBe(0);
  });

  it("S13: one poll is made at a time: none begins while one waits for its answer, even one that fails", async () => {
    const clock = createFakeClock();
    const answers: PromiseWithResolvers<void>[] = [];
    const poller = createPoller({
      poll() {
        const answer = Promise.withResolvers<void>();
        answers.push(answer);
        return answer.promise;
      },
      isNeeded: () => true,
      pauseMs: () => 10,
      clock,
    });
    poller.start(10);
    clock.advance(10);
    poller.start(1);
    poller.hurry(1);
    clock.advance(1_000);
    expect(answers).toHaveLength(1);
    answers[0]?.reject(new Error("no poll"));
    await Promise.allSettled([answers[0]?.promise]);
    await Promise.resolve();
    clock.advance(10_000);
    expect(answers).toHaveLength(2);
    poller.stop();
    answers[1]?.resolve();
    await answers[1]?.promise;
    expect(clock.timers()).toBe(0);
  });
});
