import type { RunRecord } from "@tm/run-events-core/store";
import type { LeaseOutcome, RenewOutcome } from "../core-calls.ts";
import { event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import {
  claim,
  claimExpired,
  freed,
  granted,
  heldUntil,
  LONG_MS,
  SHORT_MS,
  under,
  renewed,
} from "../lease.ts";
import { createRun, readLog } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

const RACES = 8;
const RACERS = 6;
const LIST = { ownerId: OWNER, runStatus: null, before: null, limit: 10 } as const;
const FENCED = { outcome: "fenced" };
const LEASE = { leaseMs: LONG_MS };

/** Cases of S21 in `STORE.md`: a claim gives a run to one worker. */
export const leases: readonly TrialCase[] = [
  {
    name: "S21 a claim returns the run as it is, and changes only its lease",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      const created = await createRun(store, "run");
      for (const count of [0, 2]) {
        if (count > 0) await land(store, "run", events(count));
        const before = await readLog(store, "run");
        const held = await claim(store, "run");
        assert(held.fence > created.fence, `the fence is higher than 0, got ${held.fence}`);
        for (const one of stores) {
          const log = await readLog(one, "run");
          const { fence, leaseExpiresAtMs, worker } = held;
          const run: RunRecord = { ...before.run, fence, leaseExpiresAtMs, worker };
          assertEqual(held, run, "the run of the claim");
          assertEqual(log, { ...before, run }, "the log");
          assertEqual(await one.getRun("run"), run, "the run by itself");
          assertEqual(await one.listRuns(LIST), [run], "the list");
        }
        await store.release({ runId: "run", fence: held.fence });
      }
    },
  },
  {
    name: "S21 a claim of a run that another worker has is refused, with the time when its lease expires",
    async run(trial) {
      const stores = await trial.stores();
      await createRun(trial.store, "run");
      const held = await claim(trial.store, "run");
      for (const one of stores) {
        for (const leaseMs of [SHORT_MS, LONG_MS]) {
          const outcome = await one.claim({ runId: "run", ownerId: OWNER, leaseMs });
          assertEqual(outcome, heldUntil(held.leaseExpiresAtMs), "the second claim");
        }
        assertEqual(await one.getRun("run"), held, "the run afterwards");
      }
    },
  },
  {
    name: "S21 each claim of a run has a higher fence than all before, however the lease before ended",
    async run(trial) {
      const stores = await trial.stores();
      const [, other = trial.store] = stores;
      await createRun(trial.store, "run");
      let { fence } = await claimExpired(trial.store, "run");
      for (const one of [...stores, ...stores]) {
        const next = await claimExpired(one, "run");
        assert(next.fence > fence, `the fence ${next.fence} is higher than ${fence}`);
        fence = next.fence;
      }
      await other.release({ runId: "run", fence });
      const last = await claim(trial.store, "run");
      assert(last.fence > fence, `the fence ${last.fence} is higher than ${fence}`);
    },
  },
  {
    name: "S21 a renewal with the current fence moves the end of the lease",
    async run(trial) {
      const [, other = trial.store] = await trial.stores();
      for (const runId of ["queued", "running"]) {
        await createRun(trial.store, runId);
        if (runId === "running") await land(trial.store, runId, events(1));
        const held = await claim(trial.store, runId, LONG_MS / 2);
        const request = { ...LEASE, runId, fence: held.fence };
        const leaseExpiresAtMs = renewed(await other.renew(request), "a renewal");
        assert(
          leaseExpiresAtMs > held.leaseExpiresAtMs && leaseExpiresAtMs <= Date.now() * 2,
          `the lease ends later than ${held.leaseExpiresAtMs}, got ${leaseExpiresAtMs}`,
        );
        const now = { ...held, leaseExpiresAtMs };
        assertEqual(await trial.store.getRun(runId), now, `the ${runId} run by itself`);
        const refused = await trial.store.claim({ ...LEASE, runId });
        assertEqual(refused, heldUntil(leaseExpiresAtMs), "a claim");
      }
    },
  },
  {
    name: "S21 an expired lease can be renewed until another worker claims the run",
    async run(trial) {
      const [, other = trial.store] = await trial.stores();
      await createRun(trial.store, "run");
      const { fence } = await claimExpired(trial.store, "run");
      const request = { ...LEASE, runId: "run", fence };
      const endsAtMs = renewed(await trial.store.renew(request), "the renewal");
      const refused = await other.claim({ ...LEASE, runId: "run" });
      assertEqual(refused, heldUntil(endsAtMs), "a claim");
    },
  },
  {
    name: "S21 a renewal or a release with another fence is refused and changes nothing",
    async run({ store }) {
      await createRun(store, "run");
      await land(store, "run", events(1));
      for (const claims of [0, 2]) {
        const when = `of a run that was claimed ${claims} times`;
        const fences = [1, 2];
        if (claims > 0) {
          const first = await claimExpired(store, "run");
          const { fence } = await claim(store, "run");
          fences.push(first.fence, fence - 1, fence + 1);
        }
        const before = await store.getRun("run");
        for (const fence of fences) {
          const request = { runId: "run", fence };
          assertEqual(await store.renew({ ...LEASE, ...request }), FENCED, `a renewal ${when}`);
          assertEqual(await store.release(request), FENCED, `a release ${when}`);
        }
        assertEqual(await store.getRun("run"), before, `the run ${when}`);
      }
    },
  },
  {
    name: "S21 a release frees the run at once, is idempotent, and ends the right to renew",
    async run(trial) {
      const [, other = trial.store] = await trial.stores();
      const { store } = trial;
      for (const runId of ["queued", "running"]) {
        await createRun(store, runId);
        if (runId === "running") await land(store, runId, events(1));
        const held = await claim(store, runId);
        const release = { runId, fence: held.fence };
        const free = { ...held, leaseExpiresAtMs: null };
        assertEqual(freed(await other.release(release), "a release"), free, `the ${runId} run`);
        assertEqual(await store.getRun(runId), free, "the run by itself");
        assertEqual(freed(await store.release(release), "the release again"), free, "the run");
        assertEqual(await store.renew({ ...LEASE, ...release }), FENCED, "a renewal");
        const next = await claim(store, runId);
        assertEqual(
          await store.release(release),
          FENCED,
          "the release, when another worker has the run",
        );
        assertEqual(await other.getRun(runId), next, "the run that another worker has");
      }
    },
  },
  {
    name: "S21 a finished run cannot be claimed, renewed or released, and the lease of a run ends with it",
    async run(trial) {
      const [, other = trial.store] = await trial.stores();
      await createRun(trial.store, "run");
      const held = await claim(trial.store, "run");
      await land(other, "run", [event("RUN_COMPLETED")], under(held));
      const { run } = await readLog(trial.store, "run");
      assertEqual([run.fence, run.leaseExpiresAtMs], [held.fence, null], "the lease");
      const finished = { outcome: "finished", runStatus: "completed", lastSequence: 1 };
      for (const outcome of await triple(trial.store, "run", OWNER, held.fence)) {
        assertEqual(outcome, finished, "the outcome");
      }
      assertEqual(await other.getRun("run"), run, "the run afterwards");
    },
  },
  {
    name: "W4 claiming, renewing or releasing another owner's run is answered as if it did not exist",
    async run({ store }) {
      await createRun(store, "run");
      const held = await claim(store, "run");
      for (const [runId, ownerId] of [
        ["run", "another owner"],
        ["run", OWNER.toUpperCase()],
        ["run", ""],
        ["nowhere", OWNER],
      ] as const) {
        for (const outcome of await triple(store, runId, ownerId, held.fence)) {
          assertEqual(outcome, { outcome: "not_found" }, `the outcome for "${ownerId}"`);
        }
      }
      assertEqual(await store.getRun("run"), held, "the run afterwards");
      const mine = await store.release({ runId: "run", ownerId: OWNER, fence: held.fence });
      assertEqual(mine.outcome, "granted", "the owner's release");
    },
  },
  {
    name: "S21 when claims race, one gets the run, and the others are refused with the time of its lease",
    async run(trial) {
      const stores = await trial.stores();
      for (let race = 0; race < RACES; race++) {
        const runId = `run-${race}`;
        await createRun(trial.store, runId);
        // By turns a run that was never claimed, and one whose lease has expired.
        if (race % 2 === 1) await claimExpired(trial.store, runId);
        const outcomes = await Promise.all(
          Array.from({ length: RACERS }, async (_, index) => {
            await turns(race * index);
            return (stores[index % stores.length] ?? trial.store).claim({ ...LEASE, runId });
          }),
        );
        const winners = outcomes.filter(({ outcome }) => outcome === "granted");
        assertEqual(winners.length, 1, "how many got the run");
        const winner = granted(winners[0] ?? { outcome: "not_found" }, "the claim that won");
        for (const outcome of outcomes) {
          if (outcome.outcome === "granted") continue;
          assertEqual(outcome, heldUntil(winner.leaseExpiresAtMs), "a claim that lost");
        }
        assertEqual(await trial.store.getRun(runId), winner, "the run in the end");
      }
    },
  },
];

/** A claim, a renewal and a release. */
async function triple(
  store: Parameters<TrialCase["run"]>[0]["store"],
  runId: string,
  ownerId: string,
  fence: number,
): Promise<readonly (LeaseOutcome | RenewOutcome)[]> {
  const request = { runId, ownerId, fence };
  return [
    await store.claim({ runId, ownerId, leaseMs: LONG_MS }),
    await store.renew({ ...request, leaseMs: LONG_MS }),
    await store.release(request),
  ];
}
