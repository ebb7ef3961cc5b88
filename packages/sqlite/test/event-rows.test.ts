import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRuledStore } from "./ruled-store.ts";
import { DRIVERS } from "./drivers.ts";
import { appendOf, createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import { plainOf } from "./plain.ts";

describe.each(DRIVERS)("a group's events on $name", (driver) => {
  it("S1: a group's events land in their order, for any number of them in one statement", async () => {
    const batches = fc.array(
      fc.record({ runId: fc.constantFrom("a", "b"), size: fc.integer({ min: 1, max: 40 }) }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(batches, async (group) => {
        const db = driver.open(":memory:");
        const store = createRuledStore(db);
        await store.migrate();
        const numbers: Record<string, number[]> = { a: [0], b: [0] };
        for (const runId of ["a", "b"]) {
          await store.createRun(createOf(runId));
          await store.append([appendOf(runId, 0)]);
        }
        const plains = group.map(({ runId, size }, batch) => {
          const values = oneTo(size).map((event) => batch * 100 + event);
          numbers[runId]?.push(...values);
          return plainOf(runId, ...values);
        });
        await store.inner.append(plains);
        for (const runId of ["a", "b"]) {
          expect(await readValues(store, runId)).toEqual(numbers[runId]);
        }
        await store.close();
        db.close();
      }),
    );
  });
});
