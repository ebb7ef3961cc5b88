import { nameOf, type OnNotification, type ReadResult } from "@tm/run-events-core/store";
import { appendAlone, appendEach, type Mutant } from "./mutant.ts";

/** Stores that notify wrongly. */
export const subscriptionMutants: readonly Mutant[] = [
  {
    name: "never notifies",
    clause: "S13",
    data: (data) => ({ ...data, subscribe: (subject) => data.subscribe(subject, () => {}) }),
  },
  {
    name: "notifies once and never again",
    clause: "S13",
    data: (data) => ({
      ...data,
      subscribe(subject, onNotification) {
        const subscription = data.subscribe(subject, (changed) => {
          subscription.stop();
          onNotification(changed);
        });
        return subscription;
      },
    }),
  },
  {
    name: "notifies before the commit, and not after it",
    clause: "S13",
    data(data) {
      const counters = new Map<string, Set<() => void>>();
      return {
        ...data,
        ...appendEach(async (request) => {
          for (const onNotification of counters.get(request.runId) ?? []) onNotification();
          for (let turn = 0; turn < 20; turn++) await Promise.resolve();
          return appendAlone(data, request);
        }),
        subscribe(subject, onNotification) {
          const runId = nameOf(subject);
          const counter = (): void => onNotification(runId);
          const set = counters.get(runId) ?? new Set();
          counters.set(runId, set.add(counter));
          return { ready: Promise.resolve(), stop: () => void set.delete(counter) };
        },
      };
    },
  },
  {
    name: "notifies for nothing that other store objects commit",
    clause: "S13",
    object(object, data) {
      let own = 0;
      return {
        ...object,
        async append(requests) {
          own += 1;
          const outcomes = await object.append(requests);
          // Notifications come in a microtask after the append.
          await Promise.resolve();
          own -= 1;
          return outcomes;
        },
        subscribe: (subject, onNotification) =>
          data.subscribe(subject, (changed) => (own > 0 ? onNotification(changed) : undefined)),
      };
    },
  },
  {
    name: "does not notify for a deleted run",
    clause: "S13",
    data(data) {
      const deleted = new Set<string>();
      return {
        ...data,
        async deleteRun(runId, ownerId) {
          deleted.add(runId);
          const outcome = await data.deleteRun(runId, ownerId);
          await Promise.resolve();
          deleted.delete(runId);
          return outcome;
        },
        subscribe: (subject, onNotification) =>
          data.subscribe(subject, (changed) =>
            deleted.has(nameOf(subject)) ? undefined : onNotification(changed),
          ),
      };
    },
  },
  {
    name: "notifies from within subscribe",
    clause: "S13",
    data: (data) => ({
      ...data,
      subscribe(subject, onNotification) {
        onNotification(null);
        return data.subscribe(subject, onNotification);
      },
    }),
  },
  {
    name: "goes on notifying after stop",
    clause: "S14",
    data: (data) => ({
      ...data,
      subscribe: (subject, onNotification) => ({
        ready: data.subscribe(subject, onNotification).ready,
        stop() {},
      }),
    }),
  },
  {
    name: "stops all subscriptions of a run with one",
    clause: "S14",
    data(data) {
      const stops = new Map<string, (() => void)[]>();
      return {
        ...data,
        subscribe(subject, onNotification) {
          const runId = nameOf(subject);
          const subscription = data.subscribe(subject, onNotification);
          const all = stops.get(runId) ?? [];
          stops.set(runId, all);
          all.push(() => subscription.stop());
          return { ready: subscription.ready, stop: () => all.forEach((stop) => stop()) };
        },
      };
    },
  },
  {
    name: "takes the same function for the same subscription",
    clause: "S14",
    data(data) {
      const subscriptions = new Map<OnNotification, ReturnType<typeof data.subscribe>>();
      return {
        ...data,
        subscribe(subject, onNotification) {
          const subscription =
            subscriptions.get(onNotification) ?? data.subscribe(subject, onNotification);
          subscriptions.set(onNotification, subscription);
          return subscription;
        },
      };
    },
  },
  {
    name: "reads from a copy that only a counter refreshes",
    clause: "S15",
    data(data) {
      const copies = new Map<string, ReadResult | null>();
      return {
        ...data,
        async read(queries) {
          return Promise.all(
            queries.map(async (query) => {
              const id = JSON.stringify(query);
              const kept = copies.get(id);
              if (kept !== undefined) return kept;
              const [page = null] = await data.read([query]);
              copies.set(id, page);
              return page;
            }),
          );
        },
        subscribe: (subject, onNotification) =>
          data.subscribe(subject, (changed) => {
            copies.clear();
            onNotification(changed);
          }),
      };
    },
  },
];
