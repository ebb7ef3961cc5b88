import { nameKey, type RunName } from "@tm/run-events-core/store";
import { headOf } from "./inner-store.ts";
import type { Faults, ObjectFault } from "./mutant.ts";

/** Stores whose objects notify only of what they have written themselves. */
export const notificationObjectFaults: Faults<ObjectFault> = {
  "S13 notifies for a created run at the object alone that created it"(object, data) {
    const created = new Set<string>();
    return {
      async change(changes) {
        for (const change of changes) created.add(nameKey(change));
        const answers = await object.change(changes);
        // Notifications come in a microtask after the commit.
        await Promise.resolve();
        for (const change of changes) created.delete(nameKey(change));
        return answers;
      },
      subscribe(subject, onNotification) {
        let isStopped = false;
        async function notifyUnlessNew(name: RunName, changed: string | null): Promise<void> {
          const head = await headOf(data, name);
          if ((head === null || head.lastSequence > 0) && !isStopped) onNotification(changed);
        }
        const subscription = object.subscribe(subject, (changed) => {
          if (!("runId" in subject) || created.has(nameKey(subject))) onNotification(changed);
          else void notifyUnlessNew(subject, changed);
        });
        return {
          ready: subscription.ready,
          stop() {
            isStopped = true;
            subscription.stop();
          },
        };
      },
    };
  },
};
