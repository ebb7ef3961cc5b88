import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { DRIVERS } from "./drivers.ts";
import { appendOf, createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";

describe.each(DRIVERS)("a group's events on $name", (driver) => {
  it("S3: a group's events land in their order, for any number of them in one statement", async () => {
    const batches = fc.array(
      fc.record({ runId: fc.constantFrom("a", "b"), size: fc.integer({ min: 1, max: 40 }) }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(batches, async (group) => {
        const db = driver.open(":memory:");
        const store = createSqliteStore(db);
        await store.migrate();
        const numbers: Record<string, number[]> = { a: [], b: [] };
        const requests = group.map(({ runId, size }, batch) => {
          const values = oneTo(size).map((event) => batch * 100 + event);
          numbers[runId]?.push(...values);
          const events = values.flatMap((value) => appendOf(runId, value).events);
          return appendOf(runId, null, { events });
        });
        for (const runId of ["a", "b"]) await store.createRun(createOf(runId));
        await store.append(requests);
        for (const runId of ["a", "b"]) {
          expect(await readValues(store, runId)).toEqual(numbers[runId]);
        }
        await store.close();
        db.close();
      }),
    );
  });
});
