import type { ClaimRequest } from "../core-calls.ts";
import { event, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import {
  BY_OWNER,
  granted,
  type HeldRun,
  LONG_MS,
  SHORT_MS,
  under,
  untilExpired,
  renewed,
} from "../lease.ts";
import { createRun, readRun } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

/** Names that a store may change: by case, spaces, separators, patterns, normal forms, and at the largest length. */
const NAMES: readonly string[] = [
  "w-1",
  "W-1",
  " w-1 ",
  "1 w",
  "w%",
  "a/b:c",
  "{w}",
  '"w\\',
  "te\u0301a",
  "\u{1f375}".repeat(100),
];

/** Cases of S21 in `STORE.md`: the name of the worker that has a run. */
export const workers: readonly TrialCase[] = [
  {
    name: "S21 a run shows the name of its worker in every answer, as the claim gave it",
    async run(trial) {
      const stores = await trial.stores();
      const { store } = trial;
      for (const [index, worker] of NAMES.entries()) {
        const runId = `run-${index}`;
        await createRun(store, runId);
        const held = await claimBy(store, runId, { worker });
        assertEqual(held.worker, worker, "the name in the claim's answer");
        for (const one of stores) await assertShown(one, runId, worker);
        const { fence } = held;
        const lease = { runId, fence };
        renewed(await store.renew({ ...lease, leaseMs: LONG_MS }), "the renewal");
        await land(store, runId, [event("TOKEN")], under(held));
        for (const one of stores) await assertShown(one, runId, worker);
      }
    },
  },
  {
    name: "S21 a claim without a name shows none, also after a claim with one",
    async run({ store }) {
      await createRun(store, "run");
      await assertShown(store, "run", null);
      for (const part of [{}, { worker: null }]) {
        const named = await claimBy(store, "run", { worker: "w-1" });
        await store.release({ runId: "run", fence: named.fence });
        const nameless = await claimBy(store, "run", part);
        assertEqual(nameless.worker, null, "the name in the claim's answer");
        await assertShown(store, "run", null);
        await store.release({ runId: "run", fence: nameless.fence });
      }
    },
  },
  {
    name: "S21 the name ends with its lease, however that ends, and stays while an expired lease does",
    async run({ store }) {
      const ends: readonly ((runId: string, held: HeldRun) => Promise<unknown>)[] = [
        (runId, { fence }) => store.release({ runId, fence }),
        (runId) => land(store, runId, [event("TOKEN")], BY_OWNER),
        (runId) => land(store, runId, [event("RUN_CANCELLED")], BY_OWNER),
        (runId, held) => land(store, runId, [event("RUN_COMPLETED")], under(held)),
      ];
      for (const [index, end] of ends.entries()) {
        const runId = `run-${index}`;
        await createRun(store, runId);
        const held = await claimBy(store, runId, { worker: "w-1", leaseMs: SHORT_MS });
        await untilExpired(store, held);
        await assertShown(store, runId, "w-1");
        await end(runId, held);
        await assertShown(store, runId, null);
      }
    },
  },
  {
    name: "S21 a claim that is sent again under its key keeps the first name, and the next claim has its own",
    async run({ store }) {
      await createRun(store, "run");
      const claimKey = "claim";
      const held = await claimBy(store, "run", { worker: "w-1", claimKey });
      for (const part of [{ worker: "w-2" }, { worker: null }, {}]) {
        const again = await claimBy(store, "run", { ...part, claimKey });
        assertEqual(again, held, "the lease of the claim that came again");
        await assertShown(store, "run", "w-1");
      }
      const refused = await store.claim({
        runId: "run",
        leaseMs: LONG_MS,
        worker: "w-3",
      });
      assertEqual(refused.outcome, "claimed", "the outcome of another claim");
      await assertShown(store, "run", "w-1");
      await store.release({ runId: "run", fence: held.fence });
      const next = await claimBy(store, "run", { worker: "w-2", claimKey });
      assertEqual(next.worker, "w-2", "the name of the next claim");
    },
  },
];

async function claimBy(
  store: KitStore,
  runId: string,
  part: Partial<ClaimRequest>,
): Promise<HeldRun> {
  const outcome = await store.claim({ runId, ownerId: OWNER, leaseMs: LONG_MS, ...part });
  return granted(outcome, `the claim of ${runId}`);
}

async function assertShown(store: KitStore, runId: string, worker: string | null): Promise<void> {
  const list = await store.listRuns({ ownerId: OWNER, runStatus: null, before: null, limit: 100 });
  const shown = [
    (await store.getRun(runId))?.worker,
    (await readRun(store, runId)).run.worker,
    list.find((run) => run.runId === runId)?.worker,
  ];
  assertEqual(shown, [worker, worker, worker], `the name of the worker of ${runId}`);
}
