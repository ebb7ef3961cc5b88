import type { ClaimRequest, LeaseOutcome } from "../core-calls.ts";
import { event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import {
  BY_OWNER,
  claim,
  granted,
  heldUntil,
  type HeldRun,
  LONG_MS,
  SHORT_MS,
  under,
  untilExpired,
  renewed,
} from "../lease.ts";
import { createRun } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";
import { turns } from "../turns.ts";

const KEY = "claim";
const LONGEST = "k".repeat(128);
/** Keys other than the one that got the lease. */
const OTHERS = ["other", "CLAIM", "claim ", " claim", "claim%", "clai", "1 claim", "c", LONGEST];
const RACES = 6;
const RACERS = 6;

/** Cases of S21 in `STORE.md`: a claim that is sent again under its key gets the lease that it got, as long as that lasts. */
export const claimKeys: readonly TrialCase[] = [
  {
    name: "S21 a claim that is sent again under its key gets the same lease, with the run as it is then",
    async run(trial) {
      const stores = await trial.stores();
      const { store } = trial;
      for (const [index, claimKey] of [KEY, LONGEST, "1 claim"].entries()) {
        const runId = `run-${index}`;
        await createRun(store, runId);
        const held = await claimBy(store, runId, { claimKey });
        for (const one of stores) {
          for (const leaseMs of [SHORT_MS, LONG_MS, LONG_MS * 2]) {
            const again = await claimBy(one, runId, { claimKey, leaseMs });
            assertEqual(again, held, "the run of the claim that was sent again");
          }
        }
        await land(store, runId, events(2), under(held));
        const { fence } = held;
        const renewal = { runId, fence, leaseMs: LONG_MS * 2 };
        const leaseExpiresAtMs = renewed(await store.renew(renewal), "the renewal");
        const now = await store.getRun(runId);
        assertEqual(now?.leaseExpiresAtMs, leaseExpiresAtMs, "the end of the lease");
        for (const one of stores) {
          const again = await claimBy(one, runId, { claimKey, ownerId: OWNER });
          assertEqual(again, now, "the run of the claim that was sent again later");
          assertEqual(await one.getRun(runId), now, "the run by itself");
        }
      }
    },
  },
  {
    name: "S21 a claim under another key, or without one, is refused while the lease lasts",
    async run(trial) {
      const stores = await trial.stores();
      await createRun(trial.store, "run");
      const held = await claimBy(trial.store, "run", { claimKey: KEY });
      for (const one of stores) {
        for (const claimKey of OTHERS) {
          assertEqual(await ask(one, "run", { claimKey }), heldBy(held), `the claim "${claimKey}"`);
        }
        assertEqual(await ask(one, "run"), heldBy(held), "the claim without a key");
        assertEqual(await one.getRun("run"), held, "the run afterwards");
      }
      await createRun(trial.store, "unnamed");
      const unnamed = await claim(trial.store, "unnamed");
      assertEqual(await ask(trial.store, "unnamed"), heldBy(unnamed), "a second one without a key");
    },
  },
  {
    name: "S21 a claim under the key of a lease that is over is a new claim, and refused if another worker has the run",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      for (const [runId, end] of Object.entries(ENDS)) {
        await createRun(store, runId);
        const first = await claimBy(store, runId, { claimKey: KEY, leaseMs: lengthFor(runId) });
        await end(store, first);
        const second = await claimBy(other, runId, { claimKey: KEY });
        assert(second.fence > first.fence, `${second.fence} is higher than ${first.fence}`);
        await store.release({ runId, fence: second.fence });
        for (const named of [{}, { claimKey: "other" }]) {
          const next = await claimBy(store, runId, named);
          assertEqual(await ask(other, runId, { claimKey: KEY }), heldBy(next), "the old key");
          await store.release({ runId, fence: next.fence });
        }
      }
    },
  },
  {
    name: "S21 a claim key belongs to its run",
    async run(trial) {
      const { store } = trial;
      const [, other = store] = await trial.stores();
      for (const runId of ["run", "other"]) await createRun(store, runId);
      const held = await claimBy(store, "run", { claimKey: KEY });
      const others = await claimBy(other, "other", { claimKey: "others" });
      assertEqual(await ask(store, "other", { claimKey: KEY }), heldBy(others), "the other run");
      await land(store, "run", [event("RUN_COMPLETED")], under(held));
      const finished = { outcome: "finished", runStatus: "completed", lastSequence: 1 };
      assertEqual(await ask(other, "run", { claimKey: KEY }), finished, "of the finished run");
      assertEqual(await store.deleteRun("run"), "deleted", "the outcome");
      await createRun(other, "run");
      const young = await claimBy(other, "run", { claimKey: "young" });
      assertEqual(await ask(store, "run", { claimKey: KEY }), heldBy(young), "of the new run");
    },
  },
  {
    name: "S21 claims that race under one key all get the same lease",
    async run(trial) {
      const stores = await trial.stores();
      for (let race = 0; race < RACES; race++) {
        const runId = `run-${race}`;
        await createRun(trial.store, runId);
        const outcomes = await Promise.all(
          Array.from({ length: RACERS }, async (_, index) => {
            await turns((race * index) % 5);
            return ask(stores[index % stores.length] ?? trial.store, runId, { claimKey: KEY });
          }),
        );
        const [first, ...others] = outcomes.map((outcome) => granted(outcome, "a claim"));
        for (const one of others) assertEqual(one, first, "the run of a claim");
      }
    },
  },
  {
    name: "W4 a claim of another owner's run, even under the key of its lease, is answered as if the run did not exist",
    async run({ store }) {
      await createRun(store, "run");
      await claimBy(store, "run", { claimKey: KEY });
      const strange = await ask(store, "run", { claimKey: KEY, ownerId: "another owner" });
      assertEqual(strange, { outcome: "not_found" }, "the outcome");
    },
  },
];

/** How a lease comes to its end. */
const ENDS: Readonly<Record<string, (store: KitStore, held: HeldRun) => Promise<unknown>>> = {
  released: (store, { runId, fence }) => store.release({ runId, fence }),
  taken: (store, { runId }) => land(store, runId, events(1), BY_OWNER),
  expired: untilExpired,
};

function lengthFor(end: string): number {
  return end === "expired" ? SHORT_MS : LONG_MS;
}

function ask(
  store: KitStore,
  runId: string,
  part: Partial<ClaimRequest> = {},
): Promise<LeaseOutcome> {
  return store.claim({ runId, leaseMs: LONG_MS, ...part });
}

async function claimBy(
  store: KitStore,
  runId: string,
  part: Partial<ClaimRequest>,
): Promise<HeldRun> {
  return granted(await ask(store, runId, part), `the claim of ${runId}`);
}

function heldBy({ leaseExpiresAtMs }: HeldRun): LeaseOutcome {
  return heldUntil(leaseExpiresAtMs);
}
