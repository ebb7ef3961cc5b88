import { appendOf } from "@tm/run-events-test-servers/requests";
import type { RuledStore } from "./stores.ts";

/** Appends, and waits until the store's connection that listens is proven. */
export async function untilProven(store: RuledStore, runId: string): Promise<void> {
  const proven = Promise.withResolvers<void>();
  store.observe?.(({ type }) => {
    if (type === "notifications_up") proven.resolve();
  });
  await store.append([appendOf(runId)]);
  await proven.promise;
}
