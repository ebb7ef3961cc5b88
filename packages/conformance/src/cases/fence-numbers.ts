import { append, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { BY_OWNER, claim, type HeldRun, LONG_MS, under } from "../lease.ts";
import { createRun } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import { storeNow } from "../store-clock.ts";
import type { TrialCase } from "../trial.ts";

/** More claims than a store in memory takes milliseconds for: so the fences of the old run are ahead of the clock. */
const CLAIMS = 12;
const FENCED = { outcome: "fenced" };

/** Cases of S21 in `STORE.md`: which number a fence is, and that only one worker gets it, even if the run is deleted. */
export const fenceNumbers: readonly TrialCase[] = [
  {
    name: "S21 a fence of a deleted run is not a fence of a new run with its id, however often each was claimed",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      await createRun(store, "run");
      const old = await claimAgainAndAgain(store, "run");
      await land(store, "run", [event("RUN_CANCELLED")], BY_OWNER);
      assertEqual(await other.deleteRun("run", OWNER), "deleted", "the outcome of the deletion");
      await createRun(store, "run");
      for (let count = 0; count < CLAIMS; count++) {
        const held = await claim(other, "run");
        for (const { fence } of old) await refuseAll(store, fence);
        assertEqual(await store.getRun("run"), held, "the run after the refusals");
        await land(other, "run", events(1), under(held));
        await other.release({ runId: "run", fence: held.fence });
      }
    },
  },
  {
    name: "S21 a fence is made of the store's clock and the last three digits of the run's ordinal",
    async run(trial) {
      for (const [index, one] of (await trial.stores()).entries()) {
        const runId = `run-${index}`;
        const { ordinal } = await createRun(one, runId);
        const beforeMs = await storeNow(one);
        const { fence } = await claim(one, runId);
        const afterMs = await storeNow(one);
        const givenAtMs = Math.floor(fence / 1_000);
        assert(
          beforeMs <= givenAtMs && givenAtMs <= afterMs,
          `a fence begins with the time of its claim, between ${beforeMs} and ${afterMs}, got ${fence}`,
        );
        assertEqual(fence % 1_000, ordinal % 1_000, `the end of a fence of the ordinal ${ordinal}`);
        await land(one, runId, events(1), BY_OWNER);
        const next = await claim(one, runId);
        assert(next.fence > fence, `the fence ${next.fence} is higher than ${fence}`);
        assertEqual(next.fence % 1_000, ordinal % 1_000, "the end of the fence after an owner's");
      }
    },
  },
];

/** Claims a run several times, and releases it in between. The last lease stays. */
async function claimAgainAndAgain(store: KitStore, runId: string): Promise<readonly HeldRun[]> {
  const held = [await claim(store, runId)];
  while (held.length < CLAIMS) {
    const { fence = 0 } = held.at(-1) ?? {};
    await store.release({ runId, fence });
    held.push(await claim(store, runId));
  }
  return held;
}

/** Checks that all a worker may send under its fence is refused. */
async function refuseAll(store: KitStore, fence: number): Promise<void> {
  const request = { runId: "run", fence };
  const late = await append(store, "run", events(1), under({ fence }));
  assertEqual(late, FENCED, `an append under the old fence ${fence}`);
  const renewal = await store.renew({ ...request, leaseMs: LONG_MS });
  assertEqual(renewal, FENCED, `a renewal under the old fence ${fence}`);
  assertEqual(await store.release(request), FENCED, `a release under the old fence ${fence}`);
}
