import { nameOf, type RunEventStore } from "@tm/run-events-core/store";
import type { AppendAnswer, Mutant } from "./mutant.ts";

/** Stores that notify for only some of the changes that they should notify for. */
export const notificationMutants: readonly Mutant[] = [
  {
    name: "does not notify the subscriptions to an owner",
    clause: "S13",
    data: (data) => ({
      ...data,
      subscribe: (subject, onNotification) =>
        data.subscribe(subject, typeof subject === "string" ? onNotification : () => {}),
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
            if (typeof subject === "string" || runId === null || !created.has(runId))
              onNotification(runId);
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
          onNotification(typeof subject === "string" || runId === null ? runId : `${runId}-`),
        ),
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
        subscribe: (subject, onNotification) =>
          data.subscribe(subject, (runId) => {
            if (!isPurging || typeof subject === "string") onNotification(runId);
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
        subscribe(subject, onNotification) {
          const runId = nameOf(subject);
          const mark = Symbol(runId);
          newest.push(mark);
          const subscription = data.subscribe(subject, (changed) => {
            if (newest.slice(-50).includes(mark)) onNotification(changed);
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
        subscribe(subject, onNotification) {
          const runId = nameOf(subject);
          let stopped = false;
          const subscription = object.subscribe(subject, (changed) => {
            if (created.has(runId)) onNotification(changed);
            else void notifyUnlessNew(runId, () => !stopped && onNotification(changed));
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
        subscribe(subject, onNotification) {
          const runId = nameOf(subject);
          const counter = (): void => onNotification(runId);
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
    subscribe(subject, onNotification) {
      if (typeof subject !== "string") return data.subscribe(subject, onNotification);
      const counter = (): void => onNotification(subject);
      const subscribed = counters.get(subject) ?? new Set();
      counters.set(subject, subscribed.add(counter));
      return { ready: Promise.resolve(), stop: () => void subscribed.delete(counter) };
    },
  };
}
