import { isTerminal } from "@tm/run-events-core";
import {
  createNotifier,
  nameKey,
  type PlainLanding,
  type RunEventStore,
  type RunName,
} from "@tm/run-events-core/store";
import type { Subject } from "../../../core/src/store/notifier.ts";
import { aroundWrites, headOf, mapChanges, mapNotifications, subscribeBy } from "./inner-store.ts";
import type { DataFault, Faults } from "./mutant.ts";
import { turns } from "./turns.ts";

/** Notifies this many turns before a commit, and not after it. */
function notifiesBefore(count: number): DataFault {
  return (data) => {
    const notifier = createNotifier();
    return {
      ...aroundWrites(data, async (names, write) => {
        for (const name of names) notifier.notifyOf(name);
        await turns(count);
        return write();
      }),
      ...subscribeBy((...asked) => notifier.add(...asked)),
    };
  };
}

/** Does not notify of calls for which `isSilent` holds, by the status of the run before. */
function silentAbout(
  isSilent: (status: string | null, call: "append" | "change") => boolean,
): DataFault {
  return (data) => {
    const silent = new Set<string>();
    return {
      ...aroundWrites(data, async (names, write, call) => {
        const heads = await Promise.all(names.map((name) => headOf(data, name)));
        const keys = names
          .filter((_, at) => isSilent(heads[at]?.runStatus ?? null, call))
          .map(nameKey);
        for (const key of keys) silent.add(key);
        try {
          return await write();
        } finally {
          await turns(3);
          for (const key of keys) silent.delete(key);
        }
      }),
      ...mapNotifications(data, (runId, subject) =>
        silent.has(nameKey(runOf(subject, runId))) ? undefined : runId,
      ),
    };
  };
}

function runOf(subject: Subject, runId: string | null): RunName {
  return "runId" in subject ? subject : { ...subject, runId: runId ?? "" };
}

/** Notifies only of the chosen runs of a call of `append`. Changes notify as they should. */
function notifiesFor(
  choose: (
    runs: readonly RunName[],
    landings: readonly (PlainLanding | null)[],
  ) => readonly RunName[],
): DataFault {
  return (data) => {
    const notifier = createNotifier();
    const { subscribe } = subscribeBy((...asked) => notifier.add(...asked));
    return {
      async change(changes) {
        const answers = await data.change(changes);
        for (const change of changes) notifier.notifyOf(change);
        return answers;
      },
      async append(plains) {
        const landings = await data.append(plains);
        for (const run of choose(plains, landings)) notifier.notifyOf(run);
        return landings;
      },
      subscribe: (subject, ...rest) =>
        "runId" in subject ? subscribe(subject, ...rest) : data.subscribe(subject, ...rest),
    };
  };
}

/** Ends other subscriptions of a run when one is stopped. */
function stopsOthers(stop: (all: (() => void)[]) => void): DataFault {
  return (data) => {
    const subscribed = new Map<string, (() => void)[]>();
    return {
      subscribe(subject, onNotification) {
        const subscription = data.subscribe(subject, onNotification);
        const all = subscribed.get(nameKey(subject)) ?? [];
        subscribed.set(nameKey(subject), all);
        all.push(() => subscription.stop());
        return { ready: subscription.ready, stop: () => stop(all) };
      },
    };
  };
}

/** Passes on to the subscriptions of owners what `change` makes of a run's id. */
function toOwners(change: (runId: string) => string | undefined): DataFault {
  return (data) =>
    mapNotifications(data, (runId, subject) =>
      "runId" in subject || runId === null ? runId : change(runId),
    );
}

/** Stores that miss notifications, or notify at the wrong time, or notify a subscription that is stopped. */
export const notificationFaults: Faults = {
  "S13 notifies before the commit, and not after it": notifiesBefore(20),
  "S13 notifies before its commit can be read": notifiesBefore(3),
  "S13 does not notify of plain appends": silentAbout((_, call) => call === "append"),
  "S13 does not notify of changes": silentAbout(
    (status, call) => call === "change" && status !== null && !isFinished(status),
  ),
  "S13 does not notify of creations": silentAbout(
    (status, call) => call === "change" && status === null,
  ),
  "S13 does not notify of removals": silentAbout(
    (status, call) => call === "change" && isFinished(status),
  ),
  "S13 notifies from within subscribe": (data) => ({
    subscribe(subject, onNotification) {
      onNotification(null);
      return data.subscribe(subject, onNotification);
    },
  }),
  "S13 goes on notifying after stop": (data) => ({
    subscribe: (...asked) => ({ ready: data.subscribe(...asked).ready, stop() {} }),
  }),
  "S13 stops all subscriptions of a run with one": stopsOthers((all) => {
    for (const stop of all) stop();
  }),
  "S13 stops the oldest subscription of a run in place of the one that is stopped": stopsOthers(
    (all) => all.shift()?.(),
  ),
  "S13 takes the same function for the same subscription"(data) {
    const subscriptions = new Map<unknown, ReturnType<RunEventStore["subscribe"]>>();
    return {
      subscribe(subject, onNotification) {
        const subscription =
          subscriptions.get(onNotification) ?? data.subscribe(subject, onNotification);
        subscriptions.set(onNotification, subscription);
        return subscription;
      },
    };
  },
  "S13 does not notify the subscriptions to an owner": (data) =>
    mapNotifications(data, (runId, subject) => ("runId" in subject ? runId : undefined)),
  "S13 names a run to its owner's subscriptions only when it is created"(data) {
    const created = new Set<string>();
    return mapNotifications(data, (runId, subject) => {
      const isKnown = runId !== null && created.has(runId);
      if (runId !== null) created.add(runId);
      return isKnown && !("runId" in subject) ? undefined : runId;
    });
  },
  "S13 names another run of the owner": toOwners((runId) => `${runId}-`),
  "S13 does not notify the subscriptions to an owner of a removal"(data) {
    const removed = new Set<string>();
    return {
      ...mapChanges(data, {
        commit(decision, _, { runId }) {
          if (decision.after === null) removed.add(runId);
          else removed.delete(runId);
          return decision;
        },
      }),
      ...toOwners((runId) => (removed.has(runId) ? undefined : runId))(data),
    };
  },
  "S13 notifies of the first removal of a call alone"(data) {
    const silent = new Set<string>();
    return {
      change(changes) {
        silent.clear();
        let removals = 0;
        return mapChanges(data, {
          commit(decision, _, change) {
            if (decision.after === null && removals++ > 0) silent.add(nameKey(change));
            return decision;
          },
        }).change(changes);
      },
      ...mapNotifications(data, (runId, subject) =>
        silent.has(nameKey(runOf(subject, runId))) ? undefined : runId,
      ),
    };
  },
  "S13 keeps a thousand subscriptions, and no more"(data) {
    let count = 0;
    return {
      subscribe(subject, onNotification) {
        count += 1;
        const subscription = data.subscribe(subject, count > 1_000 ? () => {} : onNotification);
        return {
          ready: subscription.ready,
          stop() {
            count -= 1;
            subscription.stop();
          },
        };
      },
    };
  },
  "S13 notifies the owner of the first run of a call alone"(data) {
    let owner: string | undefined;
    return {
      ...aroundWrites(data, (names, write) => {
        owner = names[0]?.ownerId;
        return write();
      }),
      ...mapNotifications(data, (runId, subject) =>
        "runId" in subject || subject.ownerId === owner ? runId : undefined,
      ),
    };
  },
  "S13 notifies alone for the first run of a call that an append landed in": notifiesFor(
    (runs, landings) => {
      const first = landings.findIndex((landing) => landing !== null);
      return runs.slice(Math.max(0, first), first + 1);
    },
  ),
  "S13 does not notify for ids longer than 63 characters": notifiesFor((runs) =>
    runs.filter(({ runId }) => runId.length <= 63),
  ),
  "S13 notifies a subscription that the notification of another has stopped"(data) {
    const counters = new Map<string, Set<() => void>>();
    return subscribeBy((subject, onNotification) => {
      const counter = (): void => onNotification(null);
      const subscribed = counters.get(nameKey(subject)) ?? new Set();
      counters.set(nameKey(subject), subscribed.add(counter));
      // One subscription notifies all. It calls those that exist when it is notified.
      if (subscribed.size === 1) {
        data.subscribe(subject, () => [...subscribed].forEach((one) => one()));
      }
      return () => void subscribed.delete(counter);
    });
  },
  "S13 loses a notification that comes while a read is under way"(data) {
    let reading = 0;
    return {
      async read(queries) {
        reading += 1;
        const pages = await data.read(queries);
        await turns(2);
        reading -= 1;
        return pages;
      },
      ...mapNotifications(data, (runId) => (reading > 0 ? undefined : runId)),
    };
  },
  "S13 never settles `ready` of a subscription that is stopped before": (data) => ({
    subscribe(subject, onNotification) {
      let isStopped = false;
      const subscription = data.subscribe(subject, onNotification);
      return {
        ready: new Promise<void>((resolve) => {
          void turns(1).then(() => (isStopped ? undefined : resolve()));
        }),
        stop() {
          isStopped = true;
          subscription.stop();
        },
      };
    },
  }),
};

function isFinished(status: string | null): boolean {
  return status !== null && isTerminal(status as Parameters<typeof isTerminal>[0]);
}
