import { expect, it } from "vitest";
import { createRunCalls } from "../src/log/run-calls.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { nameKey } from "../src/rules/head.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { holdingClock } from "../src/time/clock.ts";

it("S17: a purge of which one removal fails is over only when all the others are", async () => {
  const memory = createMemoryStore();
  const refused = new RunEventsError("store_unavailable", "refused");
  const later = Promise.withResolvers<void>();
  const store: RunEventStore = {
    ...memory,
    async change(changes) {
      const names = changes.map(nameKey).join();
      if (names.includes("first")) throw refused;
      await later.promise;
      return memory.change(changes);
    },
  };
  const times = { clock: holdingClock, isClosing: () => false, report: null };
  const seeds = createRunCalls(memory, times);
  for (const runId of ["first", "second"]) {
    const name = { ownerId: "ada", runId };
    await seeds.create({ ...name, metadata: "{}" });
    const events = [{ eventType: "RUN_COMPLETED", payload: "null", phase: null }];
    const free = { idempotencyKey: null, expectedSequence: null } as const;
    await seeds.append({
      ...name,
      ...free,
      events,
      appender: { by: "anybody" },
    });
  }
  const calls = createRunCalls(store, times);
  const order: string[] = [];
  const purged = calls.purge(0, 10).catch((error: unknown) => order.push(String(error)));
  void Promise.resolve().then(async () => {
    // The failure of the first is known long before.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    order.push("later");
    later.resolve();
  });
  await purged;
  expect(order).toEqual(["later", String(refused)]);
  expect(await seeds.get({ ownerId: "ada", runId: "second" })).toBeNull();
});
