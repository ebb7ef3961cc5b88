import {
  nameKey,
  type ReadResult,
  type RunEventStore,
  type RunName,
} from "@tm/run-events-core/store";
import type { Mutant } from "./mutant.ts";
import { turns } from "./turns.ts";

/** Stores that lose or mix up something between the log and what is live. */
export const handoverMutants: readonly Mutant[] = [
  {
    name: "notifies before its commit can be read",
    clause: "S13",
    data(data) {
      const counters = new Map<string, Set<() => void>>();
      async function early<Answer>(
        names: readonly RunName[],
        call: () => Promise<Answer>,
      ): Promise<Answer> {
        for (const name of names)
          for (const onNotification of counters.get(nameKey(name)) ?? []) onNotification();
        await turns(3);
        return call();
      }
      return {
        ...data,
        append: (plains) => early(plains, () => data.append(plains)),
        change: (changes) => early(changes, () => data.change(changes)),
        subscribe(subject, onNotification) {
          const key = nameKey(subject);
          const counter = (): void => onNotification(null);
          const set = counters.get(key) ?? new Set();
          counters.set(key, set.add(counter));
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
    name: "sees a little late what another store object has committed",
    clause: "S10",
    object: (object, data) => lateReader(object, data),
  },
  {
    name: "goes on to answer a head with the one before for a while",
    clause: "S10",
    data(data) {
      const old = new Map<string, ReadResult | null>();
      return {
        ...data,
        async append(plains) {
          const queries = plains.map(({ ownerId, runId }) => ({ ...HEAD, ownerId, runId }));
          const before = await data.read(queries);
          queries.forEach((query, at) => old.set(nameKey(query), before[at] ?? null));
          void turns(2).then(() => old.clear());
          return data.append(plains);
        },
        async read(queries) {
          const pages = await data.read(queries);
          return queries.map((query, at) => {
            const kept = query.limit === 0 ? old.get(nameKey(query)) : undefined;
            return kept === undefined ? (pages[at] ?? null) : kept;
          });
        },
      };
    },
  },
  {
    name: "stops the oldest subscription of a run in place of the one that is stopped",
    clause: "S13",
    data(data) {
      const subscribed = new Map<string, (() => void)[]>();
      return {
        ...data,
        subscribe(subject, onNotification) {
          const key = nameKey(subject);
          const subscription = data.subscribe(subject, onNotification);
          const all = subscribed.get(key) ?? [];
          subscribed.set(key, all);
          all.push(() => subscription.stop());
          return { ready: subscription.ready, stop: () => all.shift()?.() };
        },
      };
    },
  },
  {
    name: "never settles `ready` of a subscription that is stopped before",
    clause: "S13",
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
];

const HEAD = { since: 0, limit: 0, maxBytes: 1, wantsMetadata: true };

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
    async append(plains) {
      copies.clear();
      return data.append(plains);
    },
    async change(changes) {
      copies.clear();
      return data.change(changes);
    },
  };
}
