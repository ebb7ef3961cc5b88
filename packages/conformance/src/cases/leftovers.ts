import { type KitStore, OWNER } from "../kit-store.ts";
import { event, events, land } from "../append-request.ts";
import { assertEqual, isSame } from "../assert.ts";
import { BY_OWNER, granted, LONG_MS, under, purgedIds } from "../lease.ts";
import { createRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { nextTurn } from "../next-turn.ts";

const RUNS = 3;
/** A run that is not removed. */
const STAYS = "stays";
/** More appends than a store may put into one row or value, or remove in one piece. */
const APPENDS = 150;
/** The number of looks before what is left counts as kept: a store may remove a long run piece by piece. */
const LOOKS = 200;

/** Cases of S17 in `STORE.md`: a removed run leaves nothing, even where no call shows it. */
export const leftovers: readonly TrialCase[] = [
  {
    name: "S17 a store keeps nothing of a run that is deleted or purged: no event, key, lease or index entry",
    needs: "leftovers",
    async run({ store, beneath }) {
      // From then on there are the keys that the store makes once for all runs.
      await remove(store, await finishRuns(store, "first", 1));
      await createRun(store, STAYS);
      await land(store, STAYS, events(2), { idempotencyKey: "key" });
      const before = await beneath.leftovers();
      await remove(store, await finishRuns(store, "second", APPENDS));
      let after = await beneath.leftovers();
      for (let look = 1; look < LOOKS && !isSame(after, before); look++) {
        await nextTurn();
        after = await beneath.leftovers();
      }
      assertEqual(after, before, `what is kept after ${RUNS} runs were created and removed`);
    },
  },
];

/** Deletes the first run, and purges the others. */
async function remove(store: KitStore, [first = "", ...others]: readonly string[]): Promise<void> {
  assertEqual(await store.deleteRun(first), "deleted", "the outcome");
  const gone = await purgedIds(store, { finishedForMs: 0, limit: 10 });
  assertEqual(gone.toSorted(), others.toSorted(), "the runs that were purged");
  const listed = await store.listRuns({ ownerId: OWNER, runStatus: null, before: null, limit: 10 });
  const other = listed.filter(({ runId }) => runId !== STAYS);
  assertEqual(other, [], "the runs that are listed while a removal goes on");
}

/** Runs with everything that a run can have. */
async function finishRuns(
  store: KitStore,
  name: string,
  appends: number,
): Promise<readonly string[]> {
  const runIds = Array.from({ length: RUNS }, (_, index) => `${name}-${index}`);
  for (const runId of runIds) {
    await createRun(store, runId, undefined, '{"a":1}');
    for (let count = 0; count < appends; count++) await land(store, runId, events(1));
    await land(store, runId, [event("PHASE_STARTED", '{"phase":"plan"}'), ...events(3)], {
      idempotencyKey: "key",
    });
    // The owner ends the first lease in an append that changes nothing else of what an index may have. It is as long as no other lease.
    const first = { runId, leaseMs: LONG_MS / 2, claimKey: "first" };
    granted(await store.claim(first), "the first claim");
    await land(store, runId, events(1), BY_OWNER);
    const claim = { runId, leaseMs: LONG_MS, claimKey: "claim" };
    const held = granted(await store.claim(claim), "the claim");
    const ending = { ...under(held), idempotencyKey: "end" };
    await land(store, runId, [event("RUN_COMPLETED")], ending);
  }
  return runIds;
}
