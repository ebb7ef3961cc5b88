import { isOwnerName, type RunEventStore } from "@tm/run-events-core/store";
import type { AppendAnswer, Mutant } from "./mutant.ts";

/** Stores that notify for only some of the changes that they should notify for. */
export const notificationMutants: readonly Mutant[] = [
  {
    name: "does not notify the subscriptions to an owner",
    clause: "S13",
    data: (data) => ({
      ...data,
      subscribe: (name, onNotification) =>
        data.subscribe(name, isOwnerName(name) ? () => {} : onNotification),
    }),
  },
  {
    name: "does not notify the subscriptions to an owner of a purge",
    clause: "S13",
    data(data) {
      let isPurging = false;
      return {
        ...data,
        async purge(request) {
          isPurging = true;
          return data.purge(request).finally(() => setImmediate(() => (isPurging = false)));
        },
        subscribe: (name, onNotification) =>
          data.subscribe(name, () => {
            if (!isPurging || !isOwnerName(name)) onNotification();
          }),
      };
    },
  },
  {
    name: "notifies alone for the first run of a call that an append landed in",
    clause: "S13",
    data: (data) =>
      notifyFor(data, (runIds, answers) => {
        const first = answers.findIndex(({ outcome }) => outcome === "appended");
        return runIds.slice(Math.max(0, first), first + 1);
      }),
  },
  {
    name: "notifies for no run of a call with a refused request",
    clause: "S13",
    data: (data) =>
      notifyFor(data, (runIds, answers) =>
        answers.every(({ outcome }) => outcome === "appended") ? runIds : [],
      ),
  },
  {
    name: "does not notify for ids longer than 63 characters",
    clause: "S13",
    data: (data) => notifyFor(data, (runIds) => runIds.filter((runId) => runId.length <= 63)),
  },
  {
    name: "notifies the 50 newest subscriptions alone",
    clause: "S13",
    data(data) {
      const newest: symbol[] = [];
      return {
        ...data,
        subscribe(runId, onNotification) {
          const mark = Symbol(runId);
          newest.push(mark);
          const subscription = data.subscribe(runId, () => {
            if (newest.slice(-50).includes(mark)) onNotification();
          });
          return {
            ready: subscription.ready,
            stop() {
              if (newest.includes(mark)) newest.splice(newest.indexOf(mark), 1);
              subscription.stop();
            },
          };
        },
      };
    },
  },
  {
    name: "notifies for a created run at the object alone that created it",
    clause: "S13",
    object(object, data) {
      const created = new Set<string>();
      return {
        ...object,
        async createRun(request) {
          created.add(request.runId);
          const outcome = await object.createRun(request);
          // Notifications come in a microtask after the commit.
          await Promise.resolve();
          created.delete(request.runId);
          return outcome;
        },
        subscribe(runId, onNotification) {
          let stopped = false;
          const subscription = object.subscribe(runId, () => {
            if (created.has(runId)) onNotification();
            else void notifyUnlessNew(runId, () => !stopped && onNotification());
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

      async function notifyUnlessNew(runId: string, onNotification: () => void): Promise<void> {
        const run = await data.getRun(runId);
        if (run === null || run.lastSequence > 0) onNotification();
      }
    },
  },
  {
    name: "notifies a subscription that the notification of another has stopped",
    clause: "S14",
    data(data) {
      const counters = new Map<string, Set<() => void>>();
      return {
        ...data,
        subscribe(runId, onNotification) {
          const counter = (): void => onNotification();
          const subscribed = counters.get(runId) ?? new Set();
          counters.set(runId, subscribed.add(counter));
          // The first subscription notifies all that existed when it began to.
          const subscription =
            subscribed.size === 1
              ? data.subscribe(runId, () => [...subscribed].forEach(notify))
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

/** A store whose appends notify for the chosen runs of a call alone. Creations and deletions notify. */
function notifyFor(
  data: RunEventStore,
  choose: (runIds: readonly string[], answers: readonly AppendAnswer[]) => readonly string[],
): RunEventStore {
  const counters = new Map<string, Set<() => void>>();

  function notifyLater(runIds: readonly string[]): void {
    queueMicrotask(() => runIds.forEach((runId) => counters.get(runId)?.forEach(notify)));
  }

  return {
    ...data,
    async createRun(request) {
      const created = await data.createRun(request);
      notifyLater([request.runId]);
      return created;
    },
    async deleteRun(runId, ownerId) {
      const outcome = await data.deleteRun(runId, ownerId);
      notifyLater([runId]);
      return outcome;
    },
    async append(requests) {
      const answers = await data.append(requests);
      const runIds = requests.map((request) => request.runId);
      notifyLater(choose(runIds, answers));
      return answers;
    },
    subscribe(runId, onNotification) {
      const counter = (): void => onNotification();
      const subscribed = counters.get(runId) ?? new Set();
      counters.set(runId, subscribed.add(counter));
      return { ready: Promise.resolve(), stop: () => void subscribed.delete(counter) };
    },
  };
}
