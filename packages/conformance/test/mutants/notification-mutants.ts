import {
  nameKey,
  type PlainLanding,
  type RunEventStore,
  type RunName,
} from "@tm/run-events-core/store";
import { headOf, mapChanges } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** Stores that notify for only some of the changes that they should notify for. */
export const notificationMutants: readonly Mutant[] = [
  {
    name: "does not notify the subscriptions to an owner",
    clause: "S13",
    data: (data) => ({
      ...data,
      subscribe: (subject, onNotification) =>
        data.subscribe(subject, "runId" in subject ? onNotification : () => {}),
    }),
  },
  {
    name: "names a run to its owner's subscriptions only when it is created",
    clause: "S13",
    data(data) {
      const created = new Set<string>();
      return {
        ...data,
        subscribe: (subject, onNotification) =>
          data.subscribe(subject, (runId) => {
            if ("runId" in subject || runId === null || !created.has(runId)) onNotification(runId);
            if (runId !== null) created.add(runId);
          }),
      };
    },
  },
  {
    name: "names another run of the owner",
    clause: "S13",
    data: (data) => ({
      ...data,
      subscribe: (subject, onNotification) =>
        data.subscribe(subject, (runId) =>
          onNotification("runId" in subject || runId === null ? runId : `${runId}-`),
        ),
    }),
  },
  {
    name: "does not notify the subscriptions to an owner of a removal",
    clause: "S13",
    data(data) {
      const removed = new Set<string>();
      return {
        ...data,
        ...mapChanges(data, {
          commit(decision, _, { runId }) {
            if (decision.after === null) removed.add(runId);
            else removed.delete(runId);
            return decision;
          },
        }),
        subscribe: (subject, onNotification) =>
          data.subscribe(subject, (runId) => {
            if ("runId" in subject || runId === null || !removed.has(runId)) onNotification(runId);
          }),
      };
    },
  },
  {
    name: "notifies the owner of the first run of a call alone",
    clause: "S13",
    data(data) {
      let owner: string | null = null;
      return {
        ...data,
        append(plains) {
          owner = plains[0]?.ownerId ?? null;
          return data.append(plains);
        },
        change(changes) {
          owner = changes[0]?.ownerId ?? null;
          return data.change(changes);
        },
        subscribe: (subject, onNotification) =>
          data.subscribe(subject, (runId) => {
            if ("runId" in subject || subject.ownerId === owner) onNotification(runId);
          }),
      };
    },
  },
  {
    name: "notifies alone for the first run of a call that an append landed in",
    clause: "S13",
    data: (data) =>
      notifyFor(data, (runs, landings) => {
        const first = landings.findIndex((landing) => landing !== null);
        return runs.slice(Math.max(0, first), first + 1);
      }),
  },
  {
    name: "does not notify for ids longer than 63 characters",
    clause: "S13",
    data: (data) => notifyFor(data, (runs) => runs.filter(({ runId }) => runId.length <= 63)),
  },
  {
    name: "notifies for a created run at the object alone that created it",
    clause: "S13",
    object(object, data) {
      const created = new Set<string>();

      async function notifyUnlessNew(name: RunName, onNotification: () => void): Promise<void> {
        const head = await headOf(data, name);
        if (head === null || head.lastSequence > 0) onNotification();
      }

      return {
        ...object,
        async change(changes) {
          for (const change of changes) created.add(nameKey(change));
          const answers = await object.change(changes);
          // Notifications come in a microtask after the commit.
          await Promise.resolve();
          for (const change of changes) created.delete(nameKey(change));
          return answers;
        },
        subscribe(subject, onNotification) {
          let stopped = false;
          const subscription = object.subscribe(subject, (changed) => {
            if (!("runId" in subject) || created.has(nameKey(subject))) onNotification(changed);
            else void notifyUnlessNew(subject, () => !stopped && onNotification(changed));
          });
          return {
            ready: subscription.ready,
            stop() {
              stopped = true;
              subscription.stop();
            },
          };
        },
      };
    },
  },
  {
    name: "notifies a subscription that the notification of another has stopped",
    clause: "S13",
    data(data) {
      const counters = new Map<string, Set<() => void>>();
      return {
        ...data,
        subscribe(subject, onNotification) {
          const runId = nameKey(subject);
          const counter = (): void => onNotification(null);
          const subscribed = counters.get(runId) ?? new Set();
          counters.set(runId, subscribed.add(counter));
          // The first subscription notifies all that existed when it began to.
          const subscription =
            subscribed.size === 1
              ? data.subscribe(subject, () => [...subscribed].forEach(notify))
              : null;
          return {
            ready: subscription?.ready ?? Promise.resolve(),
            stop: () => void subscribed.delete(counter),
          };
        },
      };
    },
  },
];

function notify(counter: () => void): void {
  counter();
}

/** A store whose plain appends notify for the chosen runs of a call alone. Changes notify. */
function notifyFor(
  data: RunEventStore,
  choose: (
    runs: readonly RunName[],
    landings: readonly (PlainLanding | null)[],
  ) => readonly RunName[],
): RunEventStore {
  const counters = new Map<string, Set<() => void>>();

  function notifyLater(runs: readonly RunName[]): void {
    queueMicrotask(() => runs.forEach((run) => counters.get(nameKey(run))?.forEach(notify)));
  }

  return {
    ...data,
    async change(changes) {
      const answers = await data.change(changes);
      notifyLater(changes);
      return answers;
    },
    async append(plains) {
      const landings = await data.append(plains);
      notifyLater(choose(plains, landings));
      return landings;
    },
    subscribe(subject, onNotification) {
      if (!("runId" in subject)) return data.subscribe(subject, onNotification);
      const counter = (): void => onNotification(subject.runId);
      const subscribed = counters.get(nameKey(subject)) ?? new Set();
      counters.set(nameKey(subject), subscribed.add(counter));
      return { ready: Promise.resolve(), stop: () => void subscribed.delete(counter) };
    },
  };
}
