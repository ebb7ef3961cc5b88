import { createRunEvents } from "@tm/run-events-core";
import type { Subscription } from "../core-calls.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import { appendRequest, event, events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { type NotificationCounter, countNotifications } from "../notification-counter.ts";
import { createHandClock } from "../hand-clock.ts";
import { createRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { within } from "../within.ts";
import { wrapInner, wrapStore } from "../wrap-store.ts";

const ROUNDS = 5;
/** Subscriptions before and after those that a case is about. */
const OTHER_SUBSCRIPTIONS = 100;

/** Cases of S13 and S13 in `STORE.md`: a subscription notifies that there may be something new, until it is stopped. */
export const counters: readonly TrialCase[] = [
  {
    name: "S13 every commit after `ready` notifies",
    async run({ store }) {
      await createRun(store, "run");
      const counter = await readyCounter(store, "run");
      for (let round = 0; round < ROUNDS; round++) {
        await allNotified([counter], () => land(store, "run", events(1)));
      }
      await allNotified([counter], () => land(store, "run", [event("RUN_COMPLETED")]));
      counter.stop();
    },
  },
  {
    name: "S13 creating and deleting a run notify",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      const counters = await Promise.all(stores.map((one) => readyCounter(one, "run")));
      await allNotified(counters, () => createRun(store, "run"));
      await allNotified(counters, () => land(store, "run", [event("RUN_COMPLETED")]));
      await allNotified(counters, () => store.deleteRun("run"));
      await allNotified(counters, () => createRun(store, "run"));
      for (const counter of counters) counter.stop();
    },
  },
  {
    name: "S13 one call notifies each run that it changed, for any number of subscriptions, even if its other requests fail",
    async run({ store }) {
      const ids = ["run-a", "run-b", "r".repeat(128)];
      for (const runId of ids) {
        await createRun(store, runId);
        await land(store, runId, events(1));
      }
      const others = (side: string): readonly NotificationCounter[] =>
        Array.from({ length: OTHER_SUBSCRIPTIONS }, (_, index) =>
          countNotifications(store, `${side}-${index}`),
        );
      const before = others("before");
      const counters = ids.map((runId) => countNotifications(store, runId));
      const all = [...before, ...counters, ...others("after")];
      await Promise.all(all.map((counter) => counter.ready));
      await allNotified(counters, () =>
        store.append(["nowhere", ...ids].map((runId) => appendRequest(runId, events(1)))),
      );
      for (const counter of all) counter.stop();
    },
  },
  {
    name: "S13 a commit notifies subscriptions of every store object that is open on the data",
    async run(trial) {
      const stores = await trial.stores();
      await createRun(trial.store, "run");
      const counters = await Promise.all(stores.map((one) => readyCounter(one, "run")));
      for (const one of stores) await allNotified(counters, () => land(one, "run", events(1)));
      for (const counter of counters) counter.stop();
    },
  },
  {
    name: "S13 a subscription that is stopped by the notification of another is silent from then on",
    async run({ store }) {
      await createRun(store, "run");
      const subscriptions: Subscription[] = [];
      let stopped: number | undefined;
      let late = 0;
      const pair = wrapStore(store, {
        subscribe(runId, onNotification) {
          const notifyOf = (index: number) => (changed: string | null) => {
            const other = subscriptions[1 - index];
            if (stopped === index) late += 1;
            else if (other !== undefined) {
              stopped = 1 - index;
              other.stop();
            }
            onNotification(changed);
          };
          for (const index of [0, 1]) subscriptions.push(store.subscribe(runId, notifyOf(index)));
          return {
            ready: Promise.allSettled(subscriptions.map((subscription) => subscription.ready)).then(
              () => {},
            ),
            stop: () => subscriptions.forEach((subscription) => subscription.stop()),
          };
        },
      });
      const counter = await readyCounter(pair, "run");
      for (let round = 0; round < ROUNDS; round++) {
        await allNotified([counter], () => land(store, "run", events(1)));
      }
      assertEqual(late, 0, "the number of notifications after the stop");
      counter.stop();
    },
  },
  {
    name: "S13 `ready` settles even if the subscription is stopped at once",
    async run({ store }) {
      await createRun(store, "run");
      const subscription = store.subscribe("run", () => {});
      subscription.stop();
      const settled = Promise.allSettled([subscription.ready]);
      await within(store.capabilities.notifyWithinMs, settled, "`ready` to settle");
    },
  },
  {
    name: "S13 `onNotification` is never called from within `subscribe`",
    async run({ store }) {
      await createRun(store, "run");
      let returned = false;
      let notifiedWithin = false;
      const subscription = store.subscribe("run", () => {
        notifiedWithin ||= !returned;
      });
      returned = true;
      await within(
        store.capabilities.notifyWithinMs,
        subscription.ready,
        "`ready` of the subscription",
      );
      subscription.stop();
      assertEqual(notifiedWithin, false, "whether `subscribe` called `onNotification` itself");
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

/** Cases of S13 in `STORE.md`: correctness never depends on a notification. */
export const lostNotifications: readonly TrialCase[] = [
  {
    name: "S13 a tail gets every event even if every notification is lost",
    async run({ store }) {
      await createRun(store, "run");
      const clock = createHandClock();
      const { inner } = store;
      const silent = wrapInner(inner, { subscribe: (one) => inner.subscribe(one, () => {}) });
      const tail = createRunEvents({ store: silent, clock })
        .tail("run", { ownerId: OWNER })
        [Symbol.asyncIterator]();
      await land(store, "run", events(1));
      const sequences = [(await within(0, tail.next(), "the first event")).value?.sequence];
      for (let round = 0; round < ROUNDS; round++) {
        const next = tail.next();
        await land(store, "run", [event(round === ROUNDS - 1 ? "RUN_COMPLETED" : "TOKEN")]);
        clock.tick();
        sequences.push((await within(0, next, "the next event")).value?.sequence);
      }
      assertEqual(sequences, [1, 2, 3, 4, 5, 6], "the sequences");
      assertEqual((await within(0, tail.next(), "the end")).done, true, "whether the tail ended");
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
