import type { RunRecord } from "@tm/run-events-core/store";
import { event, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { purgedIds } from "../lease.ts";
import { createRun, readLog } from "../read-log.ts";
import type { KitStore } from "../kit-store.ts";
import { storeNow, untilStoreTime } from "../store-clock.ts";
import type { TrialCase } from "../trial.ts";

/** The time between the ends of two runs that a purge has to tell apart by age; more if the store is slower. */
const FIRST_GAP_MS = 16;
/** The number of times that the newest runs are removed: a store may count in several places. */
const ROUNDS = 10;

/** Cases of S24 in `STORE.md`: ages go by the store's clock. */
export const purging: readonly TrialCase[] = [
  {
    name: "S24 the time since a run finished is counted by the store's clock, to the millisecond",
    async run({ store }) {
      for (let gapMs = FIRST_GAP_MS; ; gapMs *= 2) {
        if (await splitsAt(store, gapMs)) return;
      }
    },
  },
  {
    name: "S17 the ordinals of purged runs do not come back, even if they were the newest",
    async run({ store }) {
      const owners = ["ada", "bob"];
      const last = new Map<string, number>();
      for (let round = 0; round < ROUNDS; round++) {
        for (const ownerId of owners) {
          const { ordinal } = await createRun(store, "run", ownerId);
          const above = last.get(ownerId) ?? 0;
          assert(ordinal > above, `an ordinal of ${ownerId} is above ${above}, got ${ordinal}`);
          last.set(ownerId, ordinal);
          await land(store, "run", [event("RUN_COMPLETED")], { ownerId });
        }
        const purged = await purgedIds(store, { finishedForMs: 0, limit: 10 });
        assertEqual(purged, ["run", "run"], "the purged");
      }
    },
  },
  {
    name: "S17 a purge removes those first that finished first",
    async run({ store }) {
      for (const runId of ["last", "first"]) await createRun(store, runId);
      const first = await finish(store, "first");
      await untilStoreTime(store, first.finishedAtMs + 1);
      await finish(store, "last");
      for (const runId of ["first", "last"]) {
        assertEqual(await purgedIds(store, { finishedForMs: 0, limit: 1 }), [runId], "the purged");
      }
    },
  },
];

interface Finished extends RunRecord {
  readonly finishedAtMs: number;
}

async function finish(store: KitStore, runId: string): Promise<Finished> {
  await land(store, runId, [event("RUN_COMPLETED")]);
  const { run } = await readLog(store, runId);
  const { finishedAtMs } = run;
  assert(finishedAtMs !== null, `${runId} has finished`);
  return { ...run, finishedAtMs };
}

/**
 * Purges by an age between those of two runs, and compares the result with the store's clock before and after.
 * @returns whether the purge distinguished the two: one that took longer than the gap cannot
 */
async function splitsAt(store: KitStore, gapMs: number): Promise<boolean> {
  await createRun(store, "old");
  const old = await finish(store, "old");
  await untilStoreTime(store, old.finishedAtMs + gapMs);
  await createRun(store, "young");
  const young = await finish(store, "young");
  const beforeMs = await storeNow(store);
  const finishedForMs = beforeMs - old.finishedAtMs;
  const gone = await purgedIds(store, { finishedForMs, limit: 1_000 });
  const afterMs = await storeNow(store);
  assert(
    gone.includes("old"),
    `a run that is ${finishedForMs} ms old is purged with those of that age`,
  );
  const agedMs = afterMs - young.finishedAtMs;
  const isYoungGone = gone.includes("young");
  assert(
    !isYoungGone || agedMs >= finishedForMs,
    `a run that is ${agedMs} ms old at the most stays, where ${finishedForMs} ms are asked`,
  );
  if (!isYoungGone) assertEqual(await store.deleteRun("young"), "deleted", "the outcome");
  return !isYoungGone;
}
