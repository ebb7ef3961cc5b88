import { nameKey, type RunName } from "@tm/run-events-core/store";
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
