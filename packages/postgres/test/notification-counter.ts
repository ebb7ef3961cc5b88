import type { RunEventStore } from "@tm/run-events-core/store";
import { vi } from "vitest";

/** A notification that counts. */
export interface NotificationCounter {
  notifyCount(): number;
  stop(): void;
}

/** Hangs a notification on a run. */
export function countNotifications(store: RunEventStore, runId: string): NotificationCounter {
  const onNotification = vi.fn();
  const subscription = store.subscribe(runId, onNotification);
  return { notifyCount: () => onNotification.mock.calls.length, stop: () => subscription.stop() };
}
