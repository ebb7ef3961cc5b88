import { append, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, readLog, readPage, readRun } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

const LIST = { ownerId: OWNER, runStatus: null, before: null, limit: 10 } as const;
/** Deleted; the second, read as a pattern, also matches others. */
const DELETED = ["run", "run_"];
const LEFT = ["other", "run-", "run-1", "run1", "Run", "run_1"];
const KEYED = { idempotencyKey: "key" } as const;
const RACES = 12;
/** Reads of a new run while deletes of the old one are under way. */
const LOOKS = 6;

/** Cases of S17 in `STORE.md`: deleteRun removes a finished run whole and refuses a live one. */
export const deleting: readonly TrialCase[] = [
  {
    name: "S17 a deleted id is free again, with an empty log, no keys and a larger ordinal",
    async run(trial) {
      const { store } = trial;
      // The other store object must know nothing of the run once this one has deleted it.
      const [, other = store] = await trial.stores();
      const first = await createRun(store, "run", OWNER, "1");
      const batch = [event("PHASE_STARTED", '{"phase":"plan"}'), event("RUN_COMPLETED")];
      await land(other, "run", [event("TOKEN")], KEYED);
      await land(other, "run", batch);
      assertEqual((await readLog(other, "run")).events.length, 3, "the number of events before");
      await store.deleteRun("run", OWNER);
      assertEqual(await other.getRun("run"), null, "the deleted run");
      assertEqual(await readPage(other, "run"), null, "the page of the deleted run");
      const second = await createRun(store, "run", OWNER, "2");
      assert(
        second.ordinal > first.ordinal,
        `the ordinal of the new run, ${second.ordinal}, is larger than that of the deleted one, ${first.ordinal}`,
      );
      assertEqual(
        await readPage(other, "run"),
        { run: second, events: [] },
        "the page of the new run",
      );
      assertEqual(second.metadata, "2", "the metadata");
      const landing = await land(other, "run", [event("TOKEN")], KEYED);
      assertEqual(
        landing,
        { firstSequence: 1, lastSequence: 1, runStatus: "running", phase: null },
        "where the first append with the old key lands",
      );
      assertEqual((await readLog(other, "run")).events.length, 1, "the number of events");
    },
  },
  {
    name: "S17 deletes that race a creation under the same id leave the new run whole, with nothing of the old one",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      for (let race = 0; race < RACES; race++) {
        const runId = `run-${race}`;
        await createRun(store, runId);
        await land(store, runId, [event("TOKEN"), event("RUN_COMPLETED")]);
        let isOver = false;
        const deleting = Promise.all([
          store.deleteRun(runId, OWNER),
          turns(race).then(() => other.deleteRun(runId, OWNER)),
        ]).finally(() => (isOver = true));
        const checked = checkNewRun(other, runId, () => isOver);
        const [outcomes] = await Promise.all([deleting, checked]);
        // The later one may find the new run, which is live.
        const deletes = outcomes.filter((one) => one === "deleted");
        assertEqual(deletes.length, 1, "how many of them delete");
        const { run, events: log } = await readLog(store, runId);
        assertEqual([run.metadata, log.length], ["2", 1], "the new run in the end");
      }
    },
  },
  {
    name: "S17 deleting a finished run removes it whole, and no other run",
    async run({ store }) {
      const left = [];
      for (const runId of LEFT) {
        await createRun(store, runId);
        const landing = await land(store, runId, events(3), KEYED);
        left.push({ runId, landing, log: await readLog(store, runId) });
      }
      for (const runId of DELETED) {
        await createRun(store, runId);
        await land(store, runId, [...events(3), event("RUN_FAILED")], KEYED);
        assertEqual(await store.deleteRun(runId), "deleted", "the outcome");
        assertEqual(await store.deleteRun(runId), "not_found", "the second outcome");
        assertEqual(await store.getRun(runId), null, "the run");
        assertEqual(await readPage(store, runId), null, "its page");
        const late = await append(store, runId, events(1), KEYED);
        assertEqual(late, { outcome: "not_found" }, "an append");
      }
      const runs = left.map(({ log }) => log.run);
      assertEqual(await store.listRuns(LIST), runs.toReversed(), "the list");
      for (const { runId, landing, log } of left) {
        assertEqual(await readLog(store, runId), log, `the log of ${runId}`);
        const replayed = await append(store, runId, events(3), KEYED);
        assertEqual(replayed, { outcome: "replayed", ...landing }, `the receipt of ${runId}`);
      }
    },
  },
];

/** Creates another run as soon as its id is free, and looks at it. */
async function checkNewRun(store: KitStore, runId: string, isFree: () => boolean): Promise<void> {
  for (;;) {
    const mustBeFree = isFree();
    const { outcome } = await store.createRun({ runId, ownerId: OWNER, metadata: "2" });
    if (outcome === "created") break;
    assert(!mustBeFree, `the id is free when the deletes are over, got ${outcome}`);
    await turns(1);
  }
  for (let look = 0; look < LOOKS; look++) {
    assertEqual((await readRun(store, runId)).events, [], "the events of the new run");
  }
  // Then it has been written to as often as the old one.
  await land(store, runId, events(1));
}
