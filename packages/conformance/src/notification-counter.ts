import type { Subject } from "@tm/run-events-core/store";
import type { Subscription } from "./core-calls.ts";
import type { KitStore } from "./kit-store.ts";
import { brokenIn } from "./assert.ts";
import { within } from "./within.ts";

/** A subscription that counts its notifications. Its `ready` fails when the store's own deadline for a notification is long past. */
export interface NotificationCounter extends Subscription {
  notifyCount(): number;
  /**
   * Resolves once there were more than `counted` notifications.
   * @throws Error when the notification does not come
   */
  past(counted: number): Promise<void>;
}

/**
 * Subscribes to a run and counts its notifications.
 * @param onNotification called at each notification, when it has been counted
 */
export function countNotifications(
  store: KitStore,
  subject: string | Subject,
  onNotification?: () => void,
): NotificationCounter {
  let count = 0;
  let waits: (() => void)[] = [];
  const subscription = store.subscribe(subject, () => {
    count += 1;
    const waiting = waits;
    waits = [];
    for (const resolve of waiting) resolve();
    onNotification?.();
  });

  async function notifiedAfter(counted: number): Promise<void> {
    while (count <= counted) await new Promise<void>((resolve) => waits.push(resolve));
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
    notifyCount: () => count,
    past: (counted) => owed(notifiedAfter(counted), `a notification for ${nameOf(subject)}`),
  };
}

function nameOf(subject: string | Subject): string {
  if (typeof subject === "string") return subject;
  return "runId" in subject ? subject.runId : subject.ownerId;
}
