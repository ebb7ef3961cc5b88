import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { StallWatch } from "../src/upkeep/stall-watch.ts";
import { createDeferred, type Deferred } from "./deferred.ts";
import { createFakeClock } from "./fake-clock.ts";

const SILENCE_MS = 2_000;

const unavailable = (message: string): RunEventsError =>
  new RunEventsError("store_unavailable", message);

/** A watch whose calls and checks the test answers. */
function createBench(refusal: "stall" | "answer" = "stall") {
  const clock = createFakeClock();
  const checks: Deferred<void>[] = [];
  const calls: Deferred<string>[] = [];
  const changes: string[] = [];
  const watch = new StallWatch({
    clock,
    refusal,
    async check() {
      const check = createDeferred<void>();
      checks.push(check);
      return check.promise;
    },
  }).start();
  watch.onChange(() => changes.push(watch.stalledBy === null ? "answering" : "stalled"));
  /** Begins a call. */
  function call(): Promise<string> {
    const promise = watch.track(() => {
      const deferred = createDeferred<string>();
      calls.push(deferred);
      return deferred.promise;
    });
    promise.catch(() => "the test awaits it later");
    return promise;
  }
  async function pass(ms: number): Promise<void> {
    clock.advance(ms);
    await nextTurn();
  }
  async function settle(one: Deferred<void> | undefined, failure?: Error): Promise<void> {
    if (failure === undefined) one?.resolve(undefined);
    else one?.reject(failure);
    await nextTurn();
  }
  return { watch, clock, checks, calls, changes, call, pass, settle };
}

describe("the watch of a store's calls", () => {
  it("S31: a store that answers neither a call nor the check is stalled after 2 s, until a check is answered", async () => {
    const { watch, clock, checks, calls, changes, call, pass, settle } = createBench();
    void call();
    await pass(750);
    expect(checks.length).toBe(0);
    await pass(250);
    expect(checks.length).toBe(1);
    await pass(SILENCE_MS - 1_001);
    expect(watch.stalledBy).toBe(null);
    await pass(1);
    expect(watch.stalledBy).toMatchObject({
      code: "store_unavailable",
      retryable: true,
      message: expect.stringContaining("did not answer in 2000 ms"),
    });
    // An answer to an old call may have been sent long before, so it does not end the stall.
    calls[0]?.resolve("late");
    await pass(60_000);
    expect([changes, checks.length]).toEqual([["stalled"], 1]);
    await settle(checks[0]);
    expect([watch.stalledBy, changes, clock.timers()]).toEqual([null, ["stalled", "answering"], 0]);
  });

  it("S31: one call that is not answered, as when its run is locked, is no stall while the checks are answered", async () => {
    const { watch, checks, changes, call, pass, settle } = createBench();
    void call();
    for (let seconds = 0; seconds < 60; seconds++) {
      await pass(1_000);
      await settle(checks.at(-1));
    }
    expect([watch.stalledBy, changes]).toEqual([null, []]);
    expect(checks.length).toBeLessThanOrEqual(60);
  });

  it("S31: while calls are answered there is no check, and between calls no timer", async () => {
    const { clock, checks, calls, call, pass } = createBench();
    for (let seconds = 0; seconds < 20; seconds++) {
      void call();
      await pass(900);
      calls.at(-1)?.resolve("answered");
      await nextTurn();
      await pass(100);
    }
    expect([checks.length, clock.timers()]).toEqual([0, 0]);
  });

  it("S31: after a call that fails, the next look checks the store, and the check decides", async () => {
    const { watch, checks, calls, changes, call, pass, settle } = createBench();
    const failed = call();
    calls[0]?.reject(unavailable("The run was locked for too long."));
    await expect(failed).rejects.toThrow();
    await pass(250);
    await settle(checks[0]);
    expect([checks.length, changes]).toEqual([1, []]);
    void call();
    calls[1]?.reject(unavailable("The disk is full."));
    await nextTurn();
    await pass(250);
    await settle(checks[1], unavailable("The disk is full."));
    expect(watch.stalledBy?.message).toBe("The disk is full.");
    expect(changes).toEqual(["stalled"]);
  });

  it("S31: a stalled store is checked again each second, although calls are answered", async () => {
    const { watch, checks, calls, call, pass, settle } = createBench();
    void call();
    calls[0]?.reject(unavailable("The disk is full."));
    await nextTurn();
    await pass(250);
    await settle(checks[0], unavailable("The disk is full."));
    for (let at = 1; at <= 4; at++) {
      expect([watch.stalledBy?.message, checks.length]).toEqual(["The disk is full.", 1]);
      void call();
      calls[at]?.resolve("late");
      await pass(250);
    }
    expect(checks.length).toBe(2);
    await settle(checks[1]);
    expect(watch.stalledBy).toBe(null);
  });

  it("S31: a refused read counts as an answer, unless it comes so late that the driver gave up on a silent server", async () => {
    const { watch, checks, changes, call, pass, settle } = createBench("answer");
    void call();
    await pass(SILENCE_MS);
    await pass(3_000);
    await settle(checks[0], unavailable("Timeout."));
    expect([watch.stalledBy?.message, changes]).toEqual(["Timeout.", ["stalled"]]);
    await pass(1_000);
    await settle(checks[1], unavailable("The database is starting up."));
    expect([watch.stalledBy, changes]).toEqual([null, ["stalled", "answering"]]);
  });

  it("S7: during a stall new calls are refused and send nothing, and those under way that may be repeated fail as in doubt", async () => {
    const { watch, calls, call, pass } = createBench();
    const repeatable = watch.unlessStalled(call);
    const single = watch.admit(call);
    await nextTurn();
    await Promise.all([
      expect(repeatable).rejects.toMatchObject({ code: "store_unavailable", ambiguous: true }),
      pass(SILENCE_MS),
    ]);
    for (const refused of [watch.unlessStalled(call), watch.admit(call)]) {
      await expect(refused).rejects.toBe(watch.stalledBy);
    }
    expect(calls.length).toBe(2);
    calls[1]?.resolve("landed");
    expect(await single).toBe("landed");
  });

  it("S31: for any calls and checks, at most one check is under way, and each stall ends before the next begins", async () => {
    const step = fc.oneof(
      fc.record({ pass: fc.integer({ min: 1, max: 3_000 }) }),
      fc.constantFrom("call", "answer", "fail", "good", "bad"),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("stall" as const, "answer" as const),
        fc.array(step, { maxLength: 40 }),
        async (refusal, steps) => {
          const { watch, clock, checks, calls, changes, call, pass, settle } = createBench(refusal);
          let [settled, answered] = [0, 0];
          for (const one of steps) {
            if (typeof one === "object") await pass(one.pass);
            else if (one === "call") void call();
            else if (one === "answer") calls[answered++]?.resolve("answered");
            else if (one === "fail") calls[answered++]?.reject(unavailable("Failed."));
            else if (settled < checks.length)
              await settle(checks[settled++], one === "bad" ? unavailable("Refused.") : undefined);
            await nextTurn();
            expect(checks.length - settled).toBeLessThanOrEqual(1);
            answered = Math.min(answered, calls.length);
          }
          expect(changes).toEqual(changes.map((_, at) => (at % 2 === 0 ? "stalled" : "answering")));
          expect(watch.stalledBy === null).toBe(changes.length % 2 === 0);
          watch.close();
          for (const check of checks) check.resolve(undefined);
          await nextTurn();
          expect(clock.timers()).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});
