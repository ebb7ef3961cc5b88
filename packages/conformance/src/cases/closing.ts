import { RunEventsError } from "@tm/run-events-core";
import { append, appendRequest, events, land } from "../append-request.ts";
import { assert, assertEqual, assertRefused, show } from "../assert.ts";
import { countNotifications } from "../notification-counter.ts";
import { createRun, readLog, readPage } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import { type Settled, settledNow } from "../settled.ts";
import type { TrialCase } from "../trial.ts";
import { within } from "../within.ts";

/** Every call of the contract, made on a closed store. */
const CALLS: Readonly<Record<string, (store: KitStore) => Promise<unknown>>> = {
  append: (store) => store.append([appendRequest("running", events(1))]),
  change: (store) => store.createRun({ runId: "new", ownerId: OWNER, metadata: "null" }),
  read: (store) => readPage(store, "run"),
  "list of an owner": (store) =>
    store.listRuns({ ownerId: OWNER, runStatus: null, before: null, limit: 10 }),
  "list of due runs": (store) => store.listDue({ due: "leased", forMs: 0, limit: 10 }),
  probe: (store) => store.probe(),
  subscribe: (store) => store.subscribe("run", () => {}).ready,
};

const CALLS_AT_ONCE = 8;

/** Cases of S18 in `STORE.md`: the end of a store. */
export const closing: readonly TrialCase[] = [
  {
    name: "S18 every call after close is refused, at once, and the refusal shows whether to retry",
    async run({ store }) {
      await createRun(store, "running");
      await land(store, "running", events(1));
      await store.close();
      for (const [name, call] of Object.entries(CALLS)) {
        const refused = (): Promise<unknown> => within(0, call(store), `the refusal of ${name}`);
        const error = await assertRefused(refused, "store_unavailable", `${name} after close`);
        assertEqual(error.ambiguous, false, `\`ambiguous\` of the refusal of ${name}`);
        const hasWord = typeof error.retryable === "boolean";
        assert(hasWord, `the refusal of ${name} has a boolean \`retryable\``);
      }
    },
  },
  {
    name: "S18 a call under way at close is answered or refused, and an append that was refused has not landed",
    async run(trial) {
      const { store } = trial;
      await createRun(store, "run");
      await land(store, "run", events(1));
      const reads = Array.from({ length: CALLS_AT_ONCE }, () => readPage(store, "run"));
      const appends = Array.from({ length: CALLS_AT_ONCE }, () => append(store, "run", events(2)));
      const settled = settledNow([...reads, ...appends]);
      await store.close();
      const pages = (await settled).slice(0, CALLS_AT_ONCE);
      for (const page of pages) {
        const isAnswered = page !== "waiting" && "answer" in page && page.answer !== null;
        assert(isAnswered || isRefusal(page), `a read is answered or refused, got ${show(page)}`);
      }
      const landings = (await settled).slice(CALLS_AT_ONCE);
      const refusals = landings.filter(isRefusal);
      const landed = landings.filter((one) => one !== "waiting" && "answer" in one).length;
      assertEqual(landed + refusals.length, landings.length, "the appends that were settled");
      if (!trial.canReopen) return;
      const { run } = await readLog(await trial.reopen(), "run");
      const most = landed + refusals.filter(({ error }) => error.ambiguous).length;
      const count = (run.lastSequence - 1) / 2;
      assert(
        count >= landed && count <= most,
        `${landed} acknowledged appends, and ${most} with those in doubt, left ${count}`,
      );
    },
  },
  {
    name: "S18 close ends every subscription and leaves other store objects alone",
    async run(trial) {
      const stores = await trial.stores();
      const [closed, other] = [trial.store, stores[1]];
      await createRun(closed, "run");
      const counters = [countNotifications(closed, "run"), countNotifications(closed, "other")];
      const others = other === undefined ? [] : [countNotifications(other, "run")];
      await Promise.all([...counters, ...others].map((counter) => counter.ready));
      const late = Promise.allSettled([append(closed, "run", events(1))]);
      const unready = closed.subscribe("run", () => {});
      await closed.close();
      const settled = Promise.allSettled([unready.ready]);
      await within(closed.capabilities.notifyWithinMs, settled, "`ready` to settle at close");
      const counted = counters.map((counter) => counter.notifyCount());
      await late;
      if (other !== undefined) {
        const later = countNotifications(other, "run");
        await later.ready;
        others.push(later);
        for (let round = 0; round < 3; round++) {
          const before = others.map((counter) => counter.notifyCount());
          await land(other, "run", events(1));
          await Promise.all(others.map((counter, index) => counter.past(before[index] ?? 0)));
        }
        for (const counter of others) counter.stop();
      }
      assertEqual(
        counters.map((counter) => counter.notifyCount()),
        counted,
        "the notifications after close",
      );
      for (const counter of [...counters, unready]) counter.stop();
    },
  },
];

function isRefusal(settled: Settled): settled is { readonly error: RunEventsError } {
  const error = settled !== "waiting" && "error" in settled ? settled.error : null;
  return error instanceof RunEventsError && error.code === "store_unavailable";
}
