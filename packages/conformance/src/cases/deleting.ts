import { append, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, OWNER, readLog, readPage } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

const LIST = { ownerId: OWNER, runStatus: null, before: null, limit: 10 } as const;
const KEYED = { idempotencyKey: "key" } as const;

/** S17: deleteRun removes a finished run whole and refuses a live one. */
export const deleting: readonly TrialCase[] = [
  {
    name: "S17 a live run is refused and stays",
    async run({ store }) {
      await createRun(store, "run");
      for (const count of [0, 2]) {
        if (count > 0) await land(store, "run", events(count));
        const log = await readLog(store, "run");
        assertEqual(await store.deleteRun("run", OWNER), "active", "the outcome");
        assertEqual(await readLog(store, "run"), log, "the log");
      }
    },
  },
  {
    name: "S17 a finished run is removed whole, and no other",
    async run({ store }) {
      await createRun(store, "run");
      await createRun(store, "other");
      await land(store, "other", events(3), KEYED);
      await land(store, "run", [...events(3), event("RUN_FAILED")], KEYED);
      const other = await readLog(store, "other");
      assertEqual(await store.deleteRun("run", null), "deleted", "the outcome");
      assertEqual(await store.deleteRun("run", null), "not_found", "the second outcome");
      assertEqual(await store.getRun("run"), null, "the run");
      assertEqual(await readPage(store, "run"), null, "its page");
      assertEqual(await store.listRuns(LIST), [other.run], "the list");
      const late = await append(store, "run", events(1), KEYED);
      assertEqual(late, { outcome: "not_found" }, "an append");
      assertEqual(await readLog(store, "other"), other, "the log of the other run");
    },
  },
  {
    name: "S17 a deleted id is free again, for anybody, with an empty log, no keys and a larger ordinal",
    async run({ store }) {
      const first = await createRun(store, "run", OWNER, "1");
      const batch = [event("PHASE_STARTED", '{"phase":"plan"}'), event("RUN_COMPLETED")];
      await land(store, "run", batch, KEYED);
      await store.deleteRun("run", OWNER);
      const second = await createRun(store, "run", "bob", "2");
      assert(second.ordinal > first.ordinal, `${second.ordinal} is larger than ${first.ordinal}`);
      assertEqual(
        await readPage(store, "run", { ownerId: "bob" }),
        { run: second, phaseAtSince: null, events: [] },
        "the page of the new run",
      );
      assertEqual(second.metadata, "2", "the metadata");
      const landing = await land(store, "run", [event("TOKEN")], KEYED);
      assertEqual(
        landing,
        { firstSequence: 1, lastSequence: 1, runStatus: "running", phase: null },
        "where the first append with the old key lands",
      );
      const page = await readPage(store, "run", { since: 1 });
      assertEqual(page?.phaseAtSince, null, "the phase at 1");
      assertEqual((await readLog(store, "run")).events.length, 1, "the number of events");
    },
  },
  {
    name: "S17 of deletes that race one deletes",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      await createRun(store, "run");
      await land(store, "run", [event("RUN_COMPLETED")]);
      const outcomes = await Promise.all(
        [...stores, ...stores, ...stores].map((one) => one.deleteRun("run", OWNER)),
      );
      assertEqual(
        outcomes.toSorted(),
        ["deleted", ...outcomes.slice(1).map(() => "not_found")],
        "the outcomes",
      );
    },
  },
];
