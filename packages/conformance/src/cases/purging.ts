import type { RunRecord } from "@tm/run-events-core/store";
import { append, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { claim, claimExpired, LONG_MS, purgedIds } from "../lease.ts";
import { createRun, readLog, readPage } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import { storeNow, untilStoreTime } from "../store-clock.ts";
import type { TrialCase } from "../trial.ts";

const KEYED = { idempotencyKey: "key" } as const;
const LIST = { ownerId: OWNER, runStatus: null, before: null, limit: 100 } as const;
const ALL = { finishedForMs: 0, limit: 1_000 };
const RUNS = 24;
/** The time between the ends of two runs that a purge has to tell apart by age; more if the store is slower. */
const FIRST_GAP_MS = 16;

/** Cases of S17 and S24 in `STORE.md`: old runs are removed whole, in batches. */
export const purging: readonly TrialCase[] = [
  {
    name: "S17 a purge removes the runs that finished long enough ago, whole, and no others",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      await finish(store, "old");
      const left: RunRecord[] = [];
      for (const runId of ["queued", "running", "claimed", "expired"]) {
        await createRun(store, runId);
        if (runId === "running") await land(store, runId, events(2), KEYED);
        if (runId === "claimed") await claim(store, runId);
        if (runId === "expired") await claimExpired(store, runId);
        left.push((await readLog(store, runId)).run);
      }
      assertEqual(await purgedIds(other, { ...ALL, finishedForMs: LONG_MS }), [], "none");
      assertEqual(await purgedIds(other, ALL), ["old"], "the runs that were purged");
      assertEqual(await purgedIds(store, ALL), [], "the runs of the second time");
      assertEqual(await store.getRun("old"), null, "the run");
      assertEqual(await readPage(store, "old"), null, "its page");
      assertEqual(await append(store, "old", events(1), KEYED), { outcome: "not_found" }, "");
      assertEqual(await other.listRuns(LIST), left.toReversed(), "the list");
      for (const run of left) assertEqual(await other.getRun(run.runId), run, run.runId);
    },
  },
  {
    name: "S24 the time since a run finished is counted by the store's clock, to the millisecond",
    async run({ store }) {
      for (let gapMs = FIRST_GAP_MS; ; gapMs *= 2) {
        if (await splitsAt(store, gapMs)) return;
      }
    },
  },
  {
    name: "S17 when purges race while appends go on, one purge removes each run and no append is lost",
    async run(trial) {
      const stores = await trial.stores();
      const { store } = trial;
      const runIds = Array.from({ length: RUNS }, (_, index) => `run-${index}`);
      for (const runId of runIds) await finish(store, runId);
      await createRun(store, "live");
      const [writer, ...purges] = await Promise.all([
        writeOn(store, RUNS),
        ...[...stores, ...stores].map(purgeAll),
      ]);
      assertEqual(purges.flat().toSorted(), runIds.toSorted(), "the runs that were purged");
      assertEqual((await readLog(store, "live")).run.lastSequence, writer, "the live run");
    },
  },
];

interface Finished extends RunRecord {
  readonly finishedAtMs: number;
}

async function finish(store: KitStore, runId: string): Promise<Finished> {
  await createRun(store, runId);
  const batch = [event("PHASE_STARTED", '{"phase":"plan"}'), event("TOKEN")];
  await land(store, runId, batch, KEYED);
  return end(store, runId);
}

async function end(store: KitStore, runId: string): Promise<Finished> {
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
  const old = await finish(store, "old");
  await untilStoreTime(store, old.finishedAtMs + gapMs);
  const young = await finish(store, "young");
  const beforeMs = await storeNow(store);
  const finishedForMs = beforeMs - old.finishedAtMs;
  const gone = await purgedIds(store, { ...ALL, finishedForMs });
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

async function purgeAll(store: KitStore): Promise<readonly string[]> {
  const purged: string[] = [];
  for (;;) {
    const gone = await purgedIds(store, { ...ALL, limit: 5 });
    if (gone.length === 0) return purged;
    purged.push(...gone);
  }
}

async function writeOn(store: KitStore, count: number): Promise<number> {
  for (let at = 0; at < count; at++) await land(store, "live", events(1));
  return count;
}
