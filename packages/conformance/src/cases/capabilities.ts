import type { TransactionalStore } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, OWNER, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

/** Cases of S6 in `STORE.md`: what a store does not offer it refuses. */
export const capabilities: readonly TrialCase[] = [
  {
    name: "S6 two stores that `open` gave share nothing",
    async run(trial) {
      const { store } = trial;
      await createRun(store, "run");
      await land(store, "run", events(2), { idempotencyKey: "key" });
      await trial.withFreshStore(async ({ store: fresh }) => {
        assertEqual(await fresh.getRun("run"), null, "the other's run");
        const list = { ownerId: OWNER, runStatus: null, before: null, limit: 10 };
        assertEqual(await fresh.listRuns(list), [], "the list of the other's runs");
        await createRun(fresh, "run");
        const landing = await land(fresh, "run", events(2), { idempotencyKey: "key" });
        assertEqual(landing.firstSequence, 1, "the first sequence under the other's key");
      });
      assertEqual((await readLog(store, "run")).events.length, 2, "the number of events");
    },
  },
  {
    name: "S6 an append that joins a transaction is refused without an open one",
    async run({ store }) {
      await createRun(store, "run");
      const isRefused = await appendInTransaction(store).then(
        () => false,
        () => true,
      );
      const declared = `on a store with joinsTransaction ${store.capabilities.joinsTransaction}`;
      assertEqual(isRefused, true, `whether it is refused ${declared}`);
      assertEqual((await readLog(store, "run")).events, [], "the events");
    },
  },
];

/** Appends without an open transaction. For a store without the function the failed `assert` is the refusal. */
async function appendInTransaction(store: KitStore): Promise<void> {
  assert(isTransactional(store), "`appendInTransaction` is a function");
  await store.appendInTransaction({ runId: "run", events: [{ eventType: "TOKEN" }] });
}

function isTransactional(store: KitStore): store is TransactionalStore {
  return "appendInTransaction" in store && typeof store.appendInTransaction === "function";
}
