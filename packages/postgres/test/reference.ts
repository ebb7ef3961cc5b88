import { createMemoryStore } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { countFences } from "@tm/run-events-test-servers";
import fc from "fast-check";
import { expect } from "vitest";
import type { PostgresPool } from "../src/index.ts";
import { arbitraryFence, arbitraryAppend } from "@tm/run-events-test-servers/arbitrary-append";
import {
  claimOf,
  createOf,
  queryOf,
  releaseOf,
  renewOf,
} from "@tm/run-events-test-servers/requests";
import { newSchema, openStore } from "./stores.ts";

const RUN_IDS = ["a", "B", "missing"];
/** Longer than a lease of these tests, which lasts an hour. */
const TWO_HOURS_MS = 7_200_000;

const arbitraryLease = fc.record({
  runId: fc.constantFrom(...RUN_IDS),
  fence: arbitraryFence,
  claimKey: fc.constantFrom({}, { claimKey: "one" }, { claimKey: "two" }),
});

const arbitraryStep = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant("append" as const),
      group: fc.array(arbitraryAppend(RUN_IDS, [0, 7_200_000]), { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constantFrom(
        "claim" as const,
        "claim" as const,
        "renew" as const,
        "release" as const,
      ),
      lease: arbitraryLease,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ does: "wait" as const }) },
);

/** Takes random steps on a store and on core's own; fails unless outcomes and logs are the same. */
export async function expectAsReference(pool: PostgresPool, numRuns: number): Promise<void> {
  const schema = newSchema();
  const store = countFences(await openStore(pool, { schema }));
  let programs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryStep, { minLength: 1, maxLength: 8 }), async (steps) => {
      let waitedMs = 0;
      const reference = countFences(createMemoryStore({ now: () => Date.now() + waitedMs }));
      const program = ++programs;
      const nameOf = (runId: string): string => `${runId}-${program}`;
      for (const runId of ["a", "B"]) {
        await store.createRun(createOf(nameOf(runId)));
        await reference.createRun(createOf(nameOf(runId)));
      }
      for (const step of steps) {
        if (step.does === "wait") {
          waitedMs += TWO_HOURS_MS;
          // The server's clock cannot be set, so the rest of a lease is made to pass at once.
          await pool.query(
            `UPDATE ${schema}.runs SET lease_expires_at_ms = lease_expires_at_ms - $1 WHERE run_id = ANY ($2)`,
            [TWO_HOURS_MS, RUN_IDS.map(nameOf)],
          );
        } else if (step.does === "append") {
          const named = step.group.map((request) => ({ ...request, runId: nameOf(request.runId) }));
          expect(await store.append(named)).toEqual(await reference.append(named));
        } else {
          const { does, lease } = step;
          const { fence } = lease;
          const runId = nameOf(lease.runId);
          const [outcome, expected] = await Promise.all(
            [store, reference].map(async (one) =>
              timeless(
                does === "claim"
                  ? await one.claim({ ...claimOf(runId), ...lease.claimKey })
                  : does === "renew"
                    ? await one.renew(renewOf(runId, fence))
                    : await one.release(releaseOf(runId, fence)),
              ),
            ),
          );
          expect(outcome).toEqual(expected);
        }
      }
      const runIds = RUN_IDS.map(nameOf);
      expect(await stateOf(store, runIds)).toEqual(await stateOf(reference, runIds));
    }),
    { numRuns },
  );
}

/** The heads and events of pages. */
async function stateOf(store: RunEventStore, runIds: readonly string[]): Promise<unknown> {
  const pages = await store.read(
    runIds.flatMap((runId) => [0, 1, 3].map((since) => queryOf(runId, { since, limit: 4 }))),
  );
  return timeless(pages);
}

/** An answer without the values that differ between two stores. Whether it has a time stays. */
function timeless(answer: unknown): unknown {
  const text = JSON.stringify(answer, (name, value: unknown) =>
    name === "ordinal" || (/(At|From)Ms$/.test(name) && value !== null) ? 0 : value,
  );
  return JSON.parse(text);
}
