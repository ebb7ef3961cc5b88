import { createMemoryStore, type RunEventStore } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it, onTestFinished, vi } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { arbitraryStep, RUN_IDS, takeStep } from "./arbitrary-step.ts";
import { DRIVERS } from "./drivers.ts";
import { createOf, queryOf } from "./requests.ts";

function stateOf(store: RunEventStore): Promise<unknown> {
  return store.read(
    RUN_IDS.flatMap((runId) => [0, 1, 3].map((since) => queryOf(runId, { since, limit: 4 }))),
  );
}

it.each(DRIVERS)(
  "S5, S21-S24: the store on $name answers as the reference store does, whatever is asked in which order",
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
        for (const step of steps) {
          const nowMs = Date.now() + step.afterMs;
          vi.setSystemTime(nowMs);
          expect(await takeStep(store, step)).toEqual(await takeStep(reference, step));
        }
        expect(await stateOf(store)).toEqual(await stateOf(reference));
        await store.close();
        db.close();
      }),
      { numRuns: 200 },
    );
  },
);
