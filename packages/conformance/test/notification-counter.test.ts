import { createMemoryStore } from "@tm/run-events-core";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { caseOf, messageOf } from "./messages.ts";

describe("a subscription", () => {
  it("S13: whose `ready` never settles fails its case when its time is up, with the clause", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const store = createMemoryStore();
    const open = () => ({
      ...store,
      subscribe: () => ({ ready: new Promise<never>(() => {}), stop() {} }),
    });
    const message = messageOf(caseOf({ name: "never ready", open }, "stopping one of two"));
    await vi.advanceTimersByTimeAsync(store.capabilities.notifyWithinMs + 60_000);
    await expect(Promise.race([message, Promise.resolve("It hangs.")])).resolves.toMatch(
      /^never ready: S13 stopping one of two subscriptions with the same function leaves the other\nS13 is broken: Expected `ready` of the subscription of run within \d+ ms, but it did not come, even 10000 ms later\.$/,
    );
  });
});
