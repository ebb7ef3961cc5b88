import type { KitStore } from "../kit-store.ts";
import { event, events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { granted, LONG_MS, under, purgedIds } from "../lease.ts";
import { createRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

const RUNS = 3;

/** Cases of S17 in `STORE.md`: a removed run leaves nothing, even where no call shows it. */
export const leftovers: readonly TrialCase[] = [
  {
    name: "S17 a store keeps nothing of a run that is deleted or purged: no event, key, lease or index entry",
    needs: "leftovers",
    async run({ store, beneath }) {
      // From then on there are the keys that the store makes once for all runs.
      await remove(store, await finishRuns(store, "first"));
      await createRun(store, "stays");
      await land(store, "stays", events(2), { idempotencyKey: "key" });
      const before = await beneath.leftovers();
      await remove(store, await finishRuns(store, "second"));
      const after = await beneath.leftovers();
      assertEqual(after, before, `what is kept after ${RUNS} runs were created and removed`);
    },
  },
];

/** Deletes the first run, and purges the others. */
async function remove(store: KitStore, [first = "", ...others]: readonly string[]): Promise<void> {
  assertEqual(await store.deleteRun(first), "deleted", "the outcome");
  const gone = await purgedIds(store, { finishedForMs: 0, limit: 10 });
  assertEqual(gone.toSorted(), others.toSorted(), "the runs that were purged");
}

/** Runs with everything that a run can have. */
async function finishRuns(store: KitStore, name: string): Promise<readonly string[]> {
  const runIds = Array.from({ length: RUNS }, (_, index) => `${name}-${index}`);
  for (const runId of runIds) {
    await createRun(store, runId, undefined, '{"a":1}');
    await land(store, runId, [event("PHASE_STARTED", '{"phase":"plan"}'), ...events(3)], {
      idempotencyKey: "key",
    });
    const claim = { runId, leaseMs: LONG_MS, claimKey: "claim" };
    const held = granted(await store.claim(claim), "the claim");
    const ending = { ...under(held), idempotencyKey: "end" };
    await land(store, runId, [event("RUN_COMPLETED")], ending);
  }
  return runIds;
}
