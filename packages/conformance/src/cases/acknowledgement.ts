import { createRunEvents, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { event, land } from "../append-request.ts";
import { OWNER } from "../kit-store.ts";
import { assertEqual, assertRefused } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { wrapInner } from "../wrap-store.ts";

const TOKENS = [{ eventType: "TOKEN" }, { eventType: "TOKEN" }];
const DRAFTS = [{ eventType: "RUN_STARTED" }, { eventType: "TOKEN", payload: { text: "a" } }];

/** Cases of S7 in `STORE.md`: an append whose answer was lost is sent again and lands once. */
export const acknowledgement: readonly TrialCase[] = [
  {
    name: "S7 an append with a key lands once when its acknowledgement is lost",
    async run({ store }) {
      await createRun(store, "run");
      const runs = createRunEvents({ store: losing(store.inner, 1) });
      const receipt = await runs.append("run", DRAFTS, { ownerId: OWNER, idempotencyKey: "key" });
      const { events } = await readLog(store, "run");
      assertEqual([receipt.firstSequence, receipt.lastSequence], [1, 2], "where it landed");
      assertEqual(events.length, 2, "the number of events");
    },
  },
  {
    name: "S7 an append that ends its run lands once when its acknowledgement is lost twice",
    async run({ store }) {
      await createRun(store, "run");
      const runs = createRunEvents({ store: losing(store.inner, 2) });
      const ending = [...DRAFTS, { eventType: "RUN_COMPLETED" }];
      const receipt = await runs.append("run", ending, {
        ownerId: OWNER,
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
      const runs = createRunEvents({ store: losing(store.inner, 1) });
      const receipts = await Promise.all([
        runs.append("run", DRAFTS, { ownerId: OWNER }),
        runs.append("run", DRAFTS, { ownerId: OWNER }),
      ]);
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
      // A change is known by its commit; only a plain append has nothing but its key.
      await land(store, "run", [event("RUN_STARTED")]);
      const runs = createRunEvents({ store: losing(store.inner, 1, false) });
      const inDoubt = await assertRefused(
        () => runs.append("run", TOKENS, { ownerId: OWNER }),
        "store_unavailable",
        "an append whose answer was lost",
      );
      assertEqual(inDoubt.ambiguous, true, "`ambiguous` of an append whose answer was lost");
      assertEqual((await readLog(store, "run")).events.length, 3, "the number of events");
    },
  },
];

/** The store, on a line that loses the first answers to what writes. */
function losing(store: RunEventStore, losses: number, losesAnswers = true): RunEventStore {
  let left = losses;
  async function lose<T>(answering: Promise<T>): Promise<T> {
    const answer = await answering;
    if (left === 0) return answer;
    left -= 1;
    throw new RunEventsError("store_unavailable", "The answer was lost.", { ambiguous: true });
  }
  return wrapInner(store, {
    capabilities: { ...store.capabilities, losesAnswers },
    append: (plains) => lose(store.append(plains)),
    change: (changes) => lose(store.change(changes)),
  });
}
