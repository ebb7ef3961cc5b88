import type { Subject } from "@tm/run-events-core/store";
import type { Subscription } from "./core-calls.ts";
import type { KitStore } from "./kit-store.ts";
import { brokenIn } from "./assert.ts";
import { within } from "./within.ts";

/** A subscription that counts its notifications. Its `ready` fails when the store's own deadline for a notification is long past. */
export interface NotificationCounter extends Subscription {
  notifyCount(): number;
  /**
   * Resolves once there were more than `counted` notifications, and one of these of this run if it is given, or of any.
   * @throws Error when the notification does not come
   */
  past(counted: number, runId?: string): Promise<void>;
}

/** Subscribes to a run or an owner, and counts the notifications. */
export function countNotifications(
  store: KitStore,
  subject: string | Subject,
): NotificationCounter {
  const heard: (string | null)[] = [];
  let waits: (() => void)[] = [];
  const subscription = store.subscribe(subject, (changed) => {
    heard.push(changed);
    const waiting = waits;
    waits = [];
    for (const resolve of waiting) resolve();
  });

  async function notifiedAfter(counted: number, runId: string | undefined): Promise<void> {
    const isOf = (one: string | null): boolean =>
      runId === undefined || one === null || one === runId;
    while (!heard.slice(counted).some(isOf)) {
      await new Promise<void>((resolve) => waits.push(resolve));
    }
  }

  async function owed(came: Promise<void>, what: string): Promise<void> {
    try {
      await within(store.capabilities.notifyWithinMs, came, what);
    } catch (error) {
      throw brokenIn("S13", error);
    }
  }

  return {
    // Only when it is asked for: a caller need not wait for it.
    get ready() {
      return owed(subscription.ready, `\`ready\` of the subscription of ${nameOf(subject)}`);
    },
    stop: () => subscription.stop(),
    notifyCount: () => heard.length,
    past: (counted, runId) =>
      owed(notifiedAfter(counted, runId), `a notification for ${runId ?? nameOf(subject)}`),
  };
}

function nameOf(subject: string | Subject): string {
  if (typeof subject === "string") return subject;
  return "runId" in subject ? subject.runId : subject.ownerId;
}
