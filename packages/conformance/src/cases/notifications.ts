import type { Subscription } from "../core-calls.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import { appendRequest, event, events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { purgedIds } from "../lease.ts";
import { type NotificationCounter, countNotifications } from "../notification-counter.ts";
import { createRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { within } from "../within.ts";
import { wrapStore } from "../wrap-store.ts";

/** Subscriptions before and after those that a case is about. */
const OTHER_SUBSCRIPTIONS = 1_000;
/** Runs that one call changes, besides those with an odd id. */
const RUNS_OF_CALL = 100;
const LATER_SUBSCRIPTIONS = 5;
/** Another owner than that of most runs, with a long id. */
const OTHER = "o".repeat(1_000);

/** Cases of S13 in `STORE.md`: a subscription notifies that there may be something new, until it is stopped. Programs try it, too. */
export const notifications: readonly TrialCase[] = [
  {
    name: "S13 one call notifies each run that it changed, and its owner of each, for any number of subscriptions, even if its other requests fail",
    async run(trial) {
      const { store } = trial;
      const many = Array.from({ length: RUNS_OF_CALL }, (_, index) => `run-${index}`);
      const ids = ["run-a", "run-b", ...many, "r".repeat(128)];
      for (const runId of ids) {
        await createRun(store, runId);
        await land(store, runId, events(1));
      }
      const others = (side: string): readonly NotificationCounter[] =>
        Array.from({ length: OTHER_SUBSCRIPTIONS }, (_, index) =>
          countNotifications(store, `${side}-${index}`),
        );
      const first = others("before");
      const counters = ids.map((runId) => countNotifications(store, runId));
      const all = [...first, ...counters, ...others("after")];
      await createRun(store, "run-c", OTHER);
      await land(store, "run-c", events(1), { ownerId: OTHER });
      const owner = countNotifications(store, { ownerId: OWNER });
      const other = countNotifications(store, { ownerId: OTHER });
      await Promise.all([...all, owner, other].map((counter) => counter.ready));
      const [before, otherBefore] = [owner.notifyCount(), other.notifyCount()];
      await allNotified(counters, () =>
        store.append([
          ...["nowhere", ...ids].map((runId) => appendRequest(runId, events(1))),
          appendRequest("run-c", events(1), { ownerId: OTHER }),
        ]),
      );
      await Promise.all(ids.map((runId) => owner.past(before, runId)));
      await other.past(otherBefore, "run-c");
      // Each by itself, and twice through another store object: a run that a poll lacks may be taken for one that has just gone.
      const stores = await trial.stores();
      for (const one of [...stores, ...stores]) {
        await allNotified(counters, async () => {
          for (const runId of ids) await land(one, runId, events(1));
        });
      }
      for (const counter of [...all, owner, other]) counter.stop();
    },
  },
  {
    name: "S13 a subscription notifies of a commit that another one follows at once",
    async run(trial) {
      const { store } = trial;
      await createRun(store, "run");
      const counter = await readyCounter(store, "run");
      for (const one of await trial.stores()) {
        for (let round = 0; round < LATER_SUBSCRIPTIONS; round++) {
          await allNotified([counter], async () => {
            await land(one, "run", events(1));
            (await readyCounter(store, `later-${round}`)).stop();
          });
        }
      }
      counter.stop();
    },
  },
  {
    name: "S13 a purge notifies each run that it removes, and its owner",
    async run({ store }) {
      const names = [OWNER, OTHER].map((ownerId, at) => ({ ownerId, runId: `run-${at}` }));
      for (const { ownerId, runId } of names) {
        await createRun(store, runId, ownerId);
        await land(store, runId, [event("RUN_COMPLETED")], { ownerId });
      }
      const subjects = names.flatMap((name) => [name, { ownerId: name.ownerId }]);
      const counters = subjects.map((subject) => countNotifications(store, subject));
      await Promise.all(counters.map((counter) => counter.ready));
      await allNotified(counters, () => purgedIds(store, { finishedForMs: 0, limit: 10 }));
      for (const counter of counters) counter.stop();
    },
  },
  {
    name: "S13 a subscription that is stopped by the notification of another is silent from then on",
    async run({ store }) {
      await createRun(store, "run");
      const counter = await readyCounter(store, "run");
      let stopped: number | undefined;
      let late = 0;
      const pair: readonly Subscription[] = [0, 1].map((index) =>
        store.subscribe("run", () => {
          if (stopped === index) late += 1;
          stopped ??= 1 - index;
          pair[stopped]?.stop();
        }),
      );
      await Promise.all(pair.map(({ ready }) => ready));
      for (let round = 0; round < 3; round++) {
        await allNotified([counter], () => land(store, "run", events(1)));
      }
      assertEqual(late, 0, "the number of notifications after the stop");
      for (const subscription of [...pair, counter]) subscription.stop();
    },
  },
  {
    name: "S13 `ready` settles even if the subscription is stopped at once",
    async run({ store }) {
      const subscription = store.subscribe("run", () => {});
      subscription.stop();
      const settled = Promise.allSettled([subscription.ready]);
      await within(store.capabilities.notifyWithinMs, settled, "`ready` to settle");
    },
  },
  {
    name: "S13 stopping one of two subscriptions with the same function leaves the other",
    async run({ store }) {
      await createRun(store, "run");
      let first: Subscription | undefined;
      const twice = wrapStore(store, {
        subscribe(runId, onNotification) {
          first = store.subscribe(runId, onNotification);
          return store.subscribe(runId, onNotification);
        },
      });
      const counter = await readyCounter(twice, "run");
      await first?.ready;
      first?.stop();
      await allNotified([counter], () => land(store, "run", events(1)));
      counter.stop();
    },
  },
];

/** Fails unless each counter gets a notification after the call began. */
async function allNotified(
  counters: readonly NotificationCounter[],
  call: () => Promise<unknown>,
): Promise<void> {
  const counted = counters.map((counter) => counter.notifyCount());
  await call();
  await Promise.all(counters.map((counter, index) => counter.past(counted[index] ?? 0)));
}

async function readyCounter(store: KitStore, runId: string): Promise<NotificationCounter> {
  const counter = countNotifications(store, runId);
  await counter.ready;
  return counter;
}
