import { events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

/** Cases of S6 in `STORE.md`. */
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
];
