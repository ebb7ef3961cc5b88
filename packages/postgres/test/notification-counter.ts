import { vi } from "vitest";
import type { RuledStore } from "./stores.ts";

/** A subscription that counts its notifications. */
export interface NotificationCounter {
  notifyCount(): number;
  stop(): void;
}

/** Subscribes to a run. */
export function countNotifications(store: RuledStore, runId: string): NotificationCounter {
  const onNotification = vi.fn();
  const subscription = store.subscribe(runId, onNotification);
  return { notifyCount: () => onNotification.mock.calls.length, stop: () => subscription.stop() };
}
