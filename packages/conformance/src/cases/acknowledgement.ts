import { RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { append, appendRequest, event } from "../append-request.ts";
import { type KitStore, kitStore, OWNER } from "../kit-store.ts";
import { BY_INPUT, BY_OWNER, granted, LONG_MS } from "../lease.ts";
import { assertEqual } from "../assert.ts";
import { readLog } from "../read-log.ts";
import type { Trial, TrialCase } from "../trial.ts";
import { wrapInner } from "../wrap-store.ts";

const INPUT = [event("INPUT_RECEIVED")];

/** Cases of S7 in `STORE.md`: a call whose answer was lost is sent again and lands once. */
export const acknowledgement: readonly TrialCase[] = [
  {
    name: "S7 a change whose answer was lost is committed once and answered as it was decided, even if others have written to its run since",
    run: changeOnce,
  },
];

/** Creates, claims, writes to, ends and removes a run. The first answer to each call is lost. */
async function changeOnce({ store }: Trial): Promise<void> {
  const run = { runId: "run", ownerId: OWNER };
  const meet = async (): Promise<void> => {
    if ((await store.getRun("run")) !== null) await append(store, "run", INPUT, BY_INPUT);
  };
  const lost = (): KitStore => kitStore(losing(store.inner, meet));
  const created = await lost().createRun({ ...run, metadata: "null" });
  assertEqual(created.outcome, "created", "the outcome of the creation");
  const claimed = await lost().claim({ ...run, leaseMs: LONG_MS });
  const { fence } = granted(claimed, "the claim");
  assertEqual((await store.getRun("run"))?.fence, fence, "the fence of the run");
  const freed = await lost().release({ ...run, fence });
  assertEqual(freed.outcome, "granted", "the outcome of the release");
  const keyed = { ...BY_OWNER, idempotencyKey: "key" };
  const [landed] = await lost().append([appendRequest("run", [event("TOKEN")], keyed)]);
  assertEqual(landed?.outcome, "appended", "the outcome of the owner's append");
  const tokens = (await readLog(store, "run")).events.filter((one) => one.eventType === "TOKEN");
  assertEqual(tokens.length, 1, "how often it landed");
  const ended = await lost().endDue(run, { kind: "running", limitMs: 0 });
  assertEqual(ended, "ended", "the outcome of a reaper");
  assertEqual(await lost().deleteRun("run"), "deleted", "the outcome of the removal");
}

/** The store over a connection that loses the first answer to a write. @param meet what happens meanwhile */
function losing(store: RunEventStore, meet: () => Promise<void>): RunEventStore {
  let isLost = false;
  async function lose<T>(answering: Promise<T>): Promise<T> {
    const answer = await answering;
    if (isLost) return answer;
    isLost = true;
    await meet();
    throw new RunEventsError("store_unavailable", "The answer was lost.", { ambiguous: true });
  }
  return wrapInner(store, {
    capabilities: { ...store.capabilities, losesAnswers: true },
    append: (plains) => lose(store.append(plains)),
    change: (changes) => lose(store.change(changes)),
  });
}
