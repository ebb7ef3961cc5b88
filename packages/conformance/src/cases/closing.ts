import { append, appendRequest, events, land } from "../append-request.ts";
import { assert, assertEqual, assertRefused } from "../assert.ts";
import { countNotifications } from "../notification-counter.ts";
import { createRun, readPage } from "../read-log.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
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

/** The refusal of a closed store, which it owes at once. */
function refusal(store: KitStore, name: string): Promise<unknown> {
  return within(0, Promise.resolve(CALLS[name]?.(store)), `the refusal of ${name}`);
}

/** Cases of S18 and S20 in `STORE.md`: the end of a store. */
export const closing: readonly TrialCase[] = [
  {
    name: "S18 close is idempotent, at the same time and later",
    async run({ store }) {
      await createRun(store, "run");
      await Promise.all([store.close(), store.close()]);
      await store.close();
    },
  },
  {
    name: "S18 every call after close is refused, at once",
    async run({ store }) {
      await createRun(store, "running");
      await land(store, "running", events(1));
      await store.close();
      for (const name of Object.keys(CALLS)) {
        await assertRefused(() => refusal(store, name), "store_unavailable", `${name} after close`);
      }
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
  {
    name: "S20 a store that cannot answer throws a RunEventsError that shows whether to retry",
    async run({ store }) {
      await createRun(store, "run");
      await store.close();
      for (const name of Object.keys(CALLS)) {
        const error = await assertRefused(() => refusal(store, name), "store_unavailable", name);
        assertEqual(error.ambiguous, false, `\`ambiguous\` of the refusal of ${name}`);
        assert(
          typeof error.retryable === "boolean",
          `the refusal of ${name} has a boolean \`retryable\``,
        );
      }
    },
  },
];
