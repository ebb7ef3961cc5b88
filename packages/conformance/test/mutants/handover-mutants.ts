import { isTerminal } from "@tm/run-events-core";
import {
  nameOf,
  type RunEventStore,
  type RunRecord,
  type StoredEvent,
} from "@tm/run-events-core/store";
import { nextTurn } from "../../src/next-turn.ts";
import { mapPages, type Mutant } from "./mutant.ts";

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** Stores that lose or mix up something between the log and what is live. */
export const handoverMutants: readonly Mutant[] = [
  {
    name: "notifies before its commit can be read",
    clause: "S13",
    data(data) {
      const counters = new Map<string, Set<() => void>>();
      return {
        ...data,
        async append(requests) {
          for (const { runId } of requests)
            for (const onNotification of counters.get(runId) ?? []) onNotification();
          await turns(3);
          return data.append(requests);
        },
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
    name: "loses a notification that comes while a read is under way",
    clause: "S13",
    data(data) {
      let reading = 0;
      return {
        ...data,
        async read(queries) {
          reading += 1;
          const pages = await data.read(queries);
          await turns(2);
          reading -= 1;
          return pages;
        },
        subscribe: (subject, onNotification) =>
          data.subscribe(subject, (changed) => (reading > 0 ? undefined : onNotification(changed))),
      };
    },
  },
  {
    name: "notifies for the first subscription of a run alone",
    clause: "S13",
    data(data) {
      const subscribed = new Map<string, object[]>();
      return {
        ...data,
        subscribe(subject, onNotification) {
          const runId = nameOf(subject);
          const self = {};
          const all = subscribed.get(runId) ?? [];
          subscribed.set(runId, all);
          all.push(self);
          const subscription = data.subscribe(subject, (changed) =>
            all[0] === self ? onNotification(changed) : undefined,
          );
          return {
            ready: subscription.ready,
            stop() {
              subscription.stop();
              if (all.includes(self)) all.splice(all.indexOf(self), 1);
            },
          };
        },
      };
    },
  },
  {
    name: "is ready before it listens",
    clause: "S13",
    data: (data) => ({
      ...data,
      subscribe(subject, onNotification) {
        let isStopped = false;
        let stop = (): void => {};
        void turns(8).then(() => {
          if (!isStopped) stop = data.subscribe(subject, onNotification).stop;
        });
        return {
          ready: Promise.resolve(),
          stop() {
            isStopped = true;
            stop();
          },
        };
      },
    }),
  },
  {
    name: "does not notify for the end of a run",
    clause: "S13",
    data(data) {
      const ended = new Set<string>();
      return {
        ...data,
        append(requests) {
          for (const { runId, change } of requests) if (isTerminal(change)) ended.add(runId);
          return data.append(requests);
        },
        subscribe: (subject, onNotification) =>
          data.subscribe(subject, (changed) =>
            ended.has(nameOf(subject)) ? undefined : onNotification(changed),
          ),
      };
    },
  },
  {
    name: "sees a little late what another store object has committed",
    clause: "S10",
    object: (object, data) => lateReader(object, data),
  },
  {
    name: "goes on to answer getRun with the head before for a while",
    clause: "S10",
    data(data) {
      const old = new Map<string, RunRecord | null>();
      return {
        ...data,
        async append(requests) {
          for (const { runId } of requests) old.set(runId, await data.getRun(runId));
          void turns(2).then(() => old.clear());
          return data.append(requests);
        },
        getRun: (runId) => {
          const kept = old.get(runId);
          return kept === undefined ? data.getRun(runId) : Promise.resolve(kept);
        },
      };
    },
  },
  {
    name: "delivers notifications that were on their way when the subscription was stopped",
    clause: "S14",
    data: (data) => ({
      ...data,
      subscribe: (subject, onNotification) =>
        data.subscribe(subject, (changed) => void turns(2).then(() => onNotification(changed))),
    }),
  },
  {
    name: "stops the oldest subscription of a run in place of the one that is stopped",
    clause: "S14",
    data(data) {
      const subscribed = new Map<string, (() => void)[]>();
      return {
        ...data,
        subscribe(subject, onNotification) {
          const runId = nameOf(subject);
          const subscription = data.subscribe(subject, onNotification);
          const all = subscribed.get(runId) ?? [];
          subscribed.set(runId, all);
          all.push(() => subscription.stop());
          return { ready: subscription.ready, stop: () => all.shift()?.() };
        },
      };
    },
  },
  {
    name: "never settles `ready` of a subscription that is stopped before",
    clause: "S14",
    data: (data) => ({
      ...data,
      subscribe(subject, onNotification) {
        let isStopped = false;
        const subscription = data.subscribe(subject, onNotification);
        const ready = new Promise<void>((resolve) => {
          void turns(1).then(() => (isStopped ? undefined : resolve()));
        });
        return {
          ready,
          stop() {
            isStopped = true;
            subscription.stop();
          },
        };
      },
    }),
  },
  {
    name: "reads nothing new before the run has notified",
    clause: "S15",
    data(data) {
      const notified = new Map<string, number>();
      return {
        ...data,
        ...mapPages(data, (page, { runId }) => {
          const upTo = notified.get(runId);
          if (upTo === undefined) return page;
          return { ...page, events: page.events.filter(({ sequence }) => sequence <= upTo) };
        }),
        subscribe(subject, onNotification) {
          const runId = nameOf(subject);
          let count = 0;
          return data.subscribe(subject, (changed) => {
            count += 1;
            // The first notification shows all; from then on one event a notification.
            notified.set(runId, Math.max(notified.get(runId) ?? 0, count));
            onNotification(changed);
          });
        },
      };
    },
  },
  {
    name: "answers a read that is under way at close with an empty page",
    clause: "S18",
    object(object) {
      let isClosed = false;
      return {
        ...object,
        async read(queries) {
          const pages = await object.read(queries);
          await turns(2);
          return isClosed ? pages.map((page) => page && { ...page, events: [] }) : pages;
        },
        async close() {
          isClosed = true;
          await object.close();
        },
      };
    },
  },
  {
    name: "leaves a call that is under way at close without an answer",
    clause: "S18",
    object(object) {
      let isClosed = false;
      return {
        ...object,
        async read(queries) {
          const pages = await object.read(queries);
          await turns(2);
          if (isClosed) await new Promise(() => {});
          return pages;
        },
        async close() {
          isClosed = true;
          await object.close();
        },
      };
    },
  },
  {
    name: "hands out pages that grow with their run",
    clause: "S11",
    data(data) {
      const live = new Map<string, StoredEvent[][]>();
      return {
        ...data,
        ...mapPages(data, (page, { runId }) => {
          const events = [...page.events];
          live.set(runId, [...(live.get(runId) ?? []), events]);
          return { ...page, events };
        }),
        async append(requests) {
          const outcomes = await data.append(requests);
          for (const { runId } of requests) {
            for (const events of live.get(runId) ?? []) {
              const since = events.at(-1)?.sequence ?? 0;
              const query = { runId, ownerId: null, since, limit: 1_000, maxBytes: 1_000_000 };
              const [page = null] = await data.read([query]);
              events.push(...(page?.events ?? []));
            }
          }
          return outcomes;
        },
      };
    },
  },
];

/** Reads from what it has read, for some turns after its last look. */
function lateReader(object: RunEventStore, data: RunEventStore): RunEventStore {
  const copies = new Map<string, ReturnType<RunEventStore["read"]>>();
  return {
    ...object,
    read(queries) {
      const id = JSON.stringify(queries);
      const kept = copies.get(id);
      if (kept !== undefined) return kept;
      const pages = object.read(queries);
      copies.set(id, pages);
      void turns(16).then(() => copies.delete(id));
      return pages;
    },
    async append(requests) {
      copies.clear();
      return data.append(requests);
    },
  };
}
