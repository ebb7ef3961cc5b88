import { createRunEvents } from "@tm/run-events-core";
import { lineOf } from "@tm/run-events-test-servers/joined-appends";
import { createOf, readValues } from "@tm/run-events-test-servers/requests";
import fc from "fast-check";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { DRIVERS, type Handle } from "./drivers.ts";
import { createRuledStore } from "./ruled-store.ts";
import { openHandle } from "./stores.ts";

/** A transaction of the caller's, with so many appends to the run `a`. */
interface Transaction {
  readonly does: "transaction";
  readonly ends: "COMMIT" | "ROLLBACK";
  readonly appends: number;
  /** The number of turns of the event loop for which it stays open after each. */
  readonly turns: number;
}

const transaction: fc.Arbitrary<Transaction> = fc.record({
  does: fc.constant("transaction"),
  ends: fc.constantFrom("COMMIT", "ROLLBACK"),
  appends: fc.integer({ min: 1, max: 3 }),
  turns: fc.nat({ max: 2 }),
});
/** A step of a program. Its calls are not awaited, so they are queued or under way at the next step. */
const step = fc.oneof(
  transaction,
  fc.record({ does: fc.constantFrom("append" as const, "create" as const, "turn" as const) }),
);

function eventsIn(db: Handle): number {
  const row = db.prepare("SELECT count(*) AS events FROM run_events_events").get();
  return Number((row as { readonly events: number }).events);
}

describe.each(DRIVERS)(
  "an append in the caller's transaction on $name, while other calls are under way,",
  (driver) => {
    it("S2: is made at once and by itself, and calls that were made before or meanwhile land outside of the transaction, in their order", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
          const db = openHandle(driver, ":memory:");
          const store = createRuledStore(db);
          await store.migrate();
          await store.createRun(createOf("a"));
          const runs = createRunEvents({ store: store.inner }).as("ada");
          const queued: Promise<unknown>[] = [];
          /** Where each value is that has landed, by what its caller was answered. */
          const placed = new Map<unknown, number>();
          let values = 0;

          function appendLater(): void {
            const payload = `queued ${(values += 1)}`;
            const appended = runs.append("a", [{ eventType: "LOG_LINE", payload }]);
            queued.push(appended.then(({ firstSequence }) => placed.set(payload, firstSequence)));
          }
          async function transact({ ends, appends, turns }: Transaction): Promise<void> {
            const before = eventsIn(db);
            const joined: (readonly [string, number])[] = [];
            db.exec("BEGIN IMMEDIATE");
            for (let count = 1; count <= appends; count++) {
              // Of the same moment, and for the same run.
              appendLater();
              const payload = `joined ${(values += 1)}`;
              const { firstSequence, lastSequence } = store.appendInTransaction(lineOf(payload));
              expect([firstSequence, lastSequence]).toEqual([before + count, before + count]);
              expect(eventsIn(db)).toBe(before + count);
              joined.push([payload, firstSequence]);
              for (let turn = 0; turn < turns; turn++) await nextTurn();
            }
            db.exec(ends);
            if (ends === "COMMIT") for (const [payload, at] of joined) placed.set(payload, at);
            expect(eventsIn(db)).toBe(ends === "COMMIT" ? before + appends : before);
          }

          for (const one of steps) {
            if (one.does === "append") appendLater();
            if (one.does === "create") queued.push(runs.create());
            if (one.does === "turn") await nextTurn();
            if (one.does === "transaction") await transact(one);
          }
          await Promise.all(queued);
          const log = await readValues(store, "a");
          expect(new Map(log.map((value, at) => [value, at + 1]))).toEqual(placed);
          const ofQueue = log.filter((value) => String(value).startsWith("queued"));
          expect(ofQueue).toEqual(
            ofQueue.toSorted((a, b) => Number(String(a).slice(7)) - Number(String(b).slice(7))),
          );
          await store.close();
        }),
        { numRuns: 40 },
      );
    });
  },
);
