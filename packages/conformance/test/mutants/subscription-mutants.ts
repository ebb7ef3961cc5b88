import { isTerminal } from "@tm/run-events-core";
import { nameKey, type RunEventStore, type RunName } from "@tm/run-events-core/store";
import type { OnNotification } from "../../../core/src/store/notifier.ts";
import { turns } from "./turns.ts";
import { headOf } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** Stores that notify wrongly. */
export const subscriptionMutants: readonly Mutant[] = [
  {
    name: "notifies before the commit, and not after it",
    clause: "S13",
    data(data) {
      const counters = new Map<string, Set<() => void>>();
      async function notify(name: RunName): Promise<void> {
        for (const onNotification of counters.get(nameKey(name)) ?? []) onNotification();
        await turns(20);
      }
      return {
        ...data,
        async append(plains) {
          for (const plain of plains) await notify(plain);
          return data.append(plains);
        },
        async change(changes) {
          for (const change of changes) await notify(change);
          return data.change(changes);
        },
        subscribe(subject, onNotification) {
          const counter = (): void => onNotification(null);
          const set = counters.get(nameKey(subject)) ?? new Set();
          counters.set(nameKey(subject), set.add(counter));
          return { ready: Promise.resolve(), stop: () => void set.delete(counter) };
        },
      };
    },
  },
  ...(["plain appends", "changes", "creations", "removals"] as const).map((what): Mutant => ({
    name: `does not notify of ${what}`,
    clause: "S13",
    data: (data) => silentAbout(data, what),
  })),
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
    clause: "S13",
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
    clause: "S13",
    data(data) {
      const stops = new Map<string, (() => void)[]>();
      return {
        ...data,
        subscribe(subject, onNotification) {
          const runId = nameKey(subject);
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
    clause: "S13",
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
];

/** A store that does not notify of some commits, in the turn in which they land. */
function silentAbout(
  data: RunEventStore,
  what: "plain appends" | "changes" | "creations" | "removals",
): RunEventStore {
  const silent = new Set<string>();
  async function silence<Answer>(
    names: readonly RunName[],
    call: () => Promise<Answer>,
  ): Promise<Answer> {
    for (const name of names) silent.add(nameKey(name));
    try {
      return await call();
    } finally {
      await turns(3);
      for (const name of names) silent.delete(nameKey(name));
    }
  }
  return {
    ...data,
    append: (plains) => silence(what === "plain appends" ? plains : [], () => data.append(plains)),
    async change(changes) {
      const heads = await Promise.all(changes.map((change) => headOf(data, change)));
      const chosen = changes.filter((_, at) => {
        const head = heads[at] ?? null;
        if (what === "creations") return head === null;
        if (what === "removals") return head !== null && isTerminal(head.runStatus);
        return what === "changes" && head !== null && !isTerminal(head.runStatus);
      });
      return silence(chosen, () => data.change(changes));
    },
    subscribe: (subject, onNotification) =>
      data.subscribe(subject, (runId) => {
        const name = "runId" in subject ? subject : { ...subject, runId: runId ?? "" };
        if (!silent.has(nameKey(name))) onNotification(runId);
      }),
  };
}
