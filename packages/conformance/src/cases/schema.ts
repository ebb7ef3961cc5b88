import type { MigratableStore, RunEventStore } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

/** Cases of S19 in `STORE.md`: a store with a schema migrates it only when `migrate` is called, safely; one without needs no step. */
export const schema: readonly TrialCase[] = [
  {
    name: "S19 migrating again, later and at the same time, changes nothing; a store without `migrate` needs no step",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      await createRun(store, "run");
      await land(store, "run", events(3), { idempotencyKey: "key" });
      const log = await readLog(store, "run");
      await migrate(store);
      await migrate(store);
      await Promise.all([...stores, ...stores].map(migrate));
      for (const one of stores) assertEqual(await readLog(one, "run"), log, "the log");
      assertEqual((await land(store, "run", events(1))).firstSequence, 4, "the next sequence");
    },
  },
  {
    name: "S19 `verify` accepts what `migrate` made, and a store has both or neither",
    async run(trial) {
      for (const store of await trial.stores()) {
        const { inner } = store;
        assertEqual("verify" in inner, "migrate" in inner, "whether there is `verify`");
        if (!isMigratable(store.inner)) continue;
        await store.inner.verify();
      }
    },
  },
];

/** Only stores with a schema have `migrate`. */
async function migrate(store: KitStore): Promise<void> {
  if (isMigratable(store.inner)) await store.inner.migrate();
}

function isMigratable(store: RunEventStore): store is MigratableStore {
  if (!("migrate" in store)) return false;
  assert(typeof store.migrate === "function", "`migrate` is a function");
  assert("verify" in store && typeof store.verify === "function", "`verify` is a function");
  return true;
}
