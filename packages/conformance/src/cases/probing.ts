import { events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { countNotifications } from "../notification-counter.ts";
import { claimExpired, dueRuns, purgedIds } from "../lease.ts";
import { createRun, readLog } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

const LIST = { ownerId: OWNER, runStatus: null, before: null, limit: 10 } as const;
/** More than the notifications that may still arrive from earlier writes. */
const PROBES = 6;

/** Cases of S31 in `STORE.md`: a probe shows whether an append could land now. */
export const probing: readonly TrialCase[] = [
  {
    name: "S31 a probe of a store that takes appends resolves, writes to no run and notifies no subscription",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      await createRun(store, "run");
      await land(store, "run", events(2));
      await claimExpired(store, "run");
      await createRun(store, "quiet");
      const counters = stores.map((one) => countNotifications(one, "run"));
      await Promise.all(counters.map((counter) => counter.ready));
      const before = [await readLog(store, "run"), await readLog(store, "quiet")];
      const list = await store.listRuns(LIST);
      const counted = counters.map((counter) => counter.notifyCount());
      for (const one of stores) {
        for (let count = 0; count < PROBES; count++) {
          await one.probe();
        }
      }
      const after = [await readLog(store, "run"), await readLog(store, "quiet")];
      assertEqual(after, before, "the logs after the probes");
      assertEqual(await store.listRuns(LIST), list, "the list after the probes");
      assertEqual(await dueRuns(store, "leased"), ["run"], "the expired runs");
      const gone = await purgedIds(store, { finishedForMs: 0, limit: 10 });
      assertEqual(gone, [], "the finished runs after the probes");
      for (const [index, counter] of counters.entries()) {
        const notified = counter.notifyCount() - (counted[index] ?? 0);
        assert(
          notified < PROBES,
          `probes notify no subscription, got ${notified} notifications of a quiet run`,
        );
        counter.stop();
      }
    },
  },
  {
    name: "S31 probes at the same time, and among appends, resolve and hinder no append",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      await createRun(store, "run");
      await Promise.all(
        [...stores, ...stores, ...stores].map(async (one) => {
          await Promise.all([one.probe(), land(one, "run", events(2)), one.probe()]);
        }),
      );
      const { run } = await readLog(store, "run");
      assertEqual(run.lastSequence, stores.length * 6, "the last sequence");
    },
  },
];
