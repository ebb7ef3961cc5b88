import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { RunEventsError } from "../src/rules/errors.ts";
import { createRunEvents } from "../src/create-run-events.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { createProbe } from "../src/upkeep/probe.ts";
import { createDeferred, type Deferred } from "./deferred.ts";
import { createFakeClock } from "./fake-clock.ts";

/** A store whose probes the test answers. */
function createBench() {
  const clock = createFakeClock();
  const calls: Deferred<number>[] = [];
  const probe = createProbe(
    {
      async probe() {
        const call = createDeferred<number>();
        calls.push(call);
        return call.promise;
      },
    },
    clock,
  );
  return { clock, calls, probe };
}

describe("probe", () => {
  it("S31: probe rejects if the store does not answer in time, and leaves its call under way", async () => {
    const { calls, clock, probe } = createBench();
    const slow = probe();
    const patient = probe({ timeoutMs: 9_000 });
    clock.advance(4_999);
    await setImmediate();
    clock.advance(1);
    await expect(slow).rejects.toMatchObject({
      code: "store_unavailable",
      retryable: true,
      message:
        "Expected the store to take a probe, but it did not answer in 5000 ms. Check that the store runs and can be reached.",
    });
    calls[0]?.resolve(1_780_000_000_000);
    await patient;
    expect(clock.timers()).toBe(0);
  });

  it("S31: a store that hangs is probed once by any number of calls, and again once it has answered", async () => {
    const { calls, clock, probe } = createBench();
    for (let asks = 0; asks < 3; asks++) {
      const asked = probe({ timeoutMs: 10 });
      clock.advance(10);
      await expect(asked).rejects.toThrow("did not answer in 10 ms");
    }
    expect(calls).toHaveLength(1);
    calls[0]?.reject(new RunEventsError("store_unavailable", "late"));
    await setImmediate();
    const again = probe();
    expect(calls).toHaveLength(2);
    calls[1]?.resolve(1_780_000_000_000);
    await again;
  });

  it("S31: createRunEvents has probe, which is refused after close", async () => {
    const runs = createRunEvents({ store: createMemoryStore() });
    await runs.probe();
    await expect(runs.probe({ timeoutMs: 0 })).rejects.toMatchObject({
      code: "invalid_request",
      message: "Expected `timeoutMs` to be an integer of 1 or more, got 0.",
    });
    await runs.close();
    await expect(runs.probe()).rejects.toMatchObject({
      code: "store_unavailable",
      retryable: false,
    });
  });
});
