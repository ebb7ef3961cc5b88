import { append, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import {
  byReaper,
  claim,
  claimExpired,
  expiredRuns,
  granted,
  type HeldRun,
  LONG_MS,
  SHORT_MS,
  under,
  untilExpired,
} from "../lease.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

const FENCED = { outcome: "fenced" };
const RUNS = 12;
const RACES = 16;
const END = [event("RUN_FAILED", '{"reason":"lease_expired"}')];
const FIRST = { graceMs: 0, limit: 1 };

/** Cases of S23 in `STORE.md`: runs whose lease has expired are found, and each ends once. */
export const expiring: readonly TrialCase[] = [
  {
    name: "S23 listExpired lists the runs whose lease has expired, and no others",
    async run(trial) {
      const { store } = trial;
      for (const runId of ["never", "held", "released", "ended", "again", "renewed"]) {
        await createRun(store, runId);
      }
      await claim(store, "held");
      const released = await claimExpired(store, "released");
      await store.release({ runId: "released", ownerId: null, fence: released.fence });
      await land(store, "ended", [event("RUN_COMPLETED")], {
        ...under(await claimExpired(store, "ended")),
      });
      await claimExpired(store, "again");
      await claim(store, "again");
      const { fence } = await claimExpired(store, "renewed");
      const lease = { runId: "renewed", ownerId: null, leaseMs: LONG_MS };
      granted(await store.renew({ ...lease, fence }), "the renewal");
      for (const one of await trial.stores()) {
        assertEqual(await expiredRuns(one), [], "the list without such runs");
      }
      await createRun(store, "run");
      await claimExpired(store, "run");
      for (const one of await trial.stores()) {
        assertEqual(await expiredRuns(one), ["run"], "the list");
      }
    },
  },
  {
    name: "S23 listExpired lists the runs whose lease expired first, up to the limit",
    async run({ store }) {
      const runIds = Array.from({ length: RUNS }, (_, index) => `run-${(index * 7) % RUNS}`);
      // They are created in another order than their leases expire: else both orders would pass.
      for (let index = 0; index < RUNS; index++) await createRun(store, `run-${index}`);
      // One after the other, so that each lease ends at a time of its own.
      for (const runId of runIds) await claimExpired(store, runId);
      assertEqual(await expiredRuns(store), runIds, "the list");
      for (const limit of [1, 5, RUNS]) {
        const listed = await store.listExpired({ graceMs: 0, limit });
        assertEqual(listed, runIds.slice(0, limit), `a list of ${limit}`);
      }
    },
  },
  {
    name: "S23 runs that do not belong in the list any more hide no other run",
    async run({ store }) {
      for (let index = 0; index < RUNS; index++) {
        const runId = `run-${index}`;
        await createRun(store, runId);
        const { fence } = await claimExpired(store, runId);
        const request = { runId, ownerId: null, fence };
        const outcome =
          index % 2 === 0
            ? await store.renew({ ...request, leaseMs: LONG_MS })
            : await store.release(request);
        assertEqual(outcome.outcome, "granted", "the outcome");
      }
      await createRun(store, "last");
      await claimExpired(store, "last");
      assertEqual(await store.listExpired(FIRST), ["last"], "the first of the list");
    },
  },
  {
    name: "S23 a run is not reaped before the grace is over",
    async run({ store }) {
      await createRun(store, "run");
      const held = await claimExpired(store, "run");
      assertEqual(await expiredRuns(store, LONG_MS), [], "the list with a long grace");
      assertEqual(await append(store, "run", END, byReaper(LONG_MS)), FENCED, "the outcome");
      await land(store, "run", events(1), under(held));
    },
  },
  {
    name: "S23 a reaper ends a run whose lease has expired, once, and no other run",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      for (const runId of ["never", "held", "released", "run"]) await createRun(store, runId);
      await claim(store, "held");
      const released = await claimExpired(store, "released");
      await store.release({ runId: "released", ownerId: null, fence: released.fence });
      const held = await claimExpired(store, "run");
      for (const runId of ["never", "held", "released"]) {
        assertEqual(await append(store, runId, END, byReaper()), FENCED, `the end of ${runId}`);
      }
      await land(other, "run", END, byReaper());
      const { run } = await readLog(store, "run");
      assertEqual([run.runStatus, run.leaseExpiresAtMs], ["failed", null], "the run");
      assert(run.fence > held.fence, `the fence ${run.fence} is higher than ${held.fence}`);
      const finished = { outcome: "finished", runStatus: "failed", lastSequence: 1 };
      assertEqual(await append(store, "run", END, byReaper()), finished, "the second reaper");
      assertEqual(await append(store, "run", events(1), under(held)), finished, "the worker");
      assertEqual(await expiredRuns(store), [], "the list");
    },
  },
  {
    name: "S23 when reapers race, one of them ends each run",
    async run(trial) {
      const stores = await trial.stores();
      const runIds = Array.from({ length: RUNS }, (_, index) => `run-${index}`);
      const held: HeldRun[] = [];
      for (const runId of runIds) {
        await createRun(trial.store, runId);
        held.push(await claim(trial.store, runId, SHORT_MS));
      }
      for (const one of held) await untilExpired(trial.store, one);
      const reaped = await Promise.all(
        [...stores, ...stores].map(async (one, index) => {
          await turns(index * 3);
          const ended: string[] = [];
          for (const runId of await expiredRuns(one)) {
            const { outcome } = await append(one, runId, END, byReaper());
            if (outcome === "appended") ended.push(runId);
          }
          return ended;
        }),
      );
      assertEqual(reaped.flat().toSorted(), runIds.toSorted(), "the runs that were ended");
    },
  },
  {
    name: "S23 when a reaper races a claim or a renewal, one of them gets the run",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      for (let race = 0; race < RACES; race++) {
        const runId = `run-${race}`;
        await createRun(store, runId);
        const { fence } = await claimExpired(store, runId);
        const lease = { runId, ownerId: null, leaseMs: LONG_MS };
        const [end, taken] = await Promise.all([
          turns(race % 4).then(() => append(other, runId, END, byReaper())),
          turns((race * 3) % 5).then(() =>
            race % 2 === 0 ? store.claim(lease) : store.renew({ ...lease, fence }),
          ),
        ]);
        const { run } = await readLog(store, runId);
        const expected = {
          failed: ["appended", "finished"],
          queued: ["fenced", "granted"],
        }[run.runStatus as "failed" | "queued"];
        assertEqual(
          [end.outcome, taken.outcome],
          expected,
          `the outcomes on a ${run.runStatus} run`,
        );
      }
    },
  },
];
