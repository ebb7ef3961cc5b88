import { createMemoryStore } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import fc from "fast-check";
import { expect, it, onTestFinished, vi } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { arbitraryStep, RUN_IDS, takeStep, underGiven } from "./arbitrary-step.ts";
import { DRIVERS } from "./drivers.ts";
import { createOf, queryOf } from "@tm/run-events-test-servers/requests";

function stateOf(store: RunEventStore): Promise<unknown> {
  return store.read(
    RUN_IDS.flatMap((runId) => [0, 1, 3].map((since) => queryOf(runId, { since, limit: 4 }))),
  );
}

it.each(DRIVERS)(
  "S5, S21-S24: the store on $name answers as the reference store does, for any calls in any order",
  async (driver) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryStep, { maxLength: 12 }), async (steps) => {
        const db = driver.open(":memory:");
        const store = createSqliteStore(db);
        const reference = createMemoryStore();
        await store.migrate();
        for (const runId of ["a", "b"]) {
          await store.createRun(createOf(runId));
          await reference.createRun(createOf(runId));
        }
        const given = new Map(RUN_IDS.map((runId): [string, number[]] => [runId, []]));
        for (const one of steps) {
          const nowMs = Date.now() + one.afterMs;
          vi.setSystemTime(nowMs);
          const step = underGiven(one, given);
          expect(await takeStep(store, step)).toEqual(await takeStep(reference, step));
          for (const [runId, fences] of given) {
            const fence = (await reference.getRun(runId))?.fence ?? 0;
            if (fence > (fences.at(-1) ?? 0)) fences.push(fence);
          }
        }
        expect(await stateOf(store)).toEqual(await stateOf(reference));
        await store.close();
        db.close();
      }),
      { numRuns: 200 },
    );
  },
);
