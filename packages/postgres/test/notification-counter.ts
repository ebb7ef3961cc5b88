import type { RunEventStore } from "@tm/run-events-core/store";
import { vi } from "vitest";

/** A subscription that counts its notifications. */
export interface NotificationCounter {
  notifyCount(): number;
  stop(): void;
}

/** Subscribes to a run. */
export function countNotifications(store: RunEventStore, runId: string): NotificationCounter {
  const onNotification = vi.fn();
  const subscription = store.subscribe(runId, onNotification);
  return { notifyCount: () => onNotification.mock.calls.length, stop: () => subscription.stop() };
}
