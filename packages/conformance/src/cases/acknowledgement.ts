import { createRunEvents, RunEventsError } from "@tm/run-events-core";
import type { KitStore } from "../kit-store.ts";
import { assertEqual, assertRefused } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { wrapStore } from "../wrap-store.ts";

const DRAFTS = [{ eventType: "RUN_STARTED" }, { eventType: "TOKEN", payload: { text: "a" } }];

/** Cases of S7 in `STORE.md`: an append whose answer was lost is sent again and lands once. */
export const acknowledgement: readonly TrialCase[] = [
  {
    name: "S7 an append with a key lands once when its acknowledgement is lost",
    async run({ store }) {
      await createRun(store, "run");
      const runs = createRunEvents({ store: losing(store, 1) });
      const receipt = await runs.append("run", DRAFTS, { idempotencyKey: "key" });
      const { events } = await readLog(store, "run");
      assertEqual([receipt.firstSequence, receipt.lastSequence], [1, 2], "where it landed");
      assertEqual(events.length, 2, "the number of events");
    },
  },
  {
    name: "S7 an append that ends its run lands once when its acknowledgement is lost twice",
    async run({ store }) {
      await createRun(store, "run");
      const runs = createRunEvents({ store: losing(store, 2) });
      const ending = [...DRAFTS, { eventType: "RUN_COMPLETED" }];
      const receipt = await runs.append("run", ending, {
        idempotencyKey: "key",
        expectedSequence: 0,
      });
      assertEqual(receipt.runStatus, "completed", "the status in the receipt");
      assertEqual((await readLog(store, "run")).events.length, 3, "the number of events");
    },
  },
  {
    name: "S7 an append without a key lands once on a store that declares lost acknowledgements",
    async run({ store }) {
      await createRun(store, "run");
      const runs = createRunEvents({ store: losing(store, 1) });
      const receipts = await Promise.all([runs.append("run", DRAFTS), runs.append("run", DRAFTS)]);
      assertEqual(
        receipts.map((receipt) => [receipt.firstSequence, receipt.lastSequence]),
        [
          [1, 2],
          [3, 4],
        ],
        "where they landed",
      );
      assertEqual((await readLog(store, "run")).events.length, 4, "the number of events");
    },
  },
  {
    name: "S7 an append without a key stays in doubt on a store that declares none, and is not sent twice",
    async run({ store }) {
      await createRun(store, "run");
      const runs = createRunEvents({ store: losing(store, 1, false) });
      const inDoubt = await assertRefused(
        () => runs.append("run", DRAFTS),
        "store_unavailable",
        "an append whose answer was lost",
      );
      assertEqual(inDoubt.ambiguous, true, "`ambiguous` of an append whose answer was lost");
      assertEqual((await readLog(store, "run")).events.length, 2, "the number of events");
    },
  },
];

/** The store, on a line that loses the first answers to `append`. */
function losing(store: KitStore, losses: number, losesAcknowledgements = true): KitStore {
  let left = losses;
  return wrapStore(store, {
    capabilities: { ...store.capabilities, losesAcknowledgements },
    async append(requests) {
      const outcomes = await store.append(requests);
      if (left === 0) return outcomes;
      left -= 1;
      throw new RunEventsError("store_unavailable", "The answer was lost.", { ambiguous: true });
    },
  });
}
