import { RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { appendOf, createOf, endOf } from "@tm/run-events-test-servers/requests";

/** An action of a process on a run, with the last fence that it got. */
export type Deed =
  | { readonly do: "claim" | "renew"; readonly runId: string; readonly leaseMs: number }
  | {
      readonly do: "release" | "write" | "end" | "write as owner" | "end as owner" | "delete";
      readonly runId: string;
    }
  | { readonly do: "create" | "list expired"; readonly runId: string }
  /** Purges any run that finished that long ago. */
  | { readonly do: "purge"; readonly runId: string; readonly ageMs: number };

/**
 * Performs one action after the other, until the process has died.
 * @param granted receives the marks of the leases that it got
 */
export async function live(
  store: RunEventStore,
  deeds: readonly Deed[],
  granted: string[],
): Promise<void> {
  const fences = new Map<string, number>();
  for (const one of deeds) {
    try {
      await act(store, one, fences, granted);
    } catch (error) {
      if (error instanceof RunEventsError && error.message.startsWith("Redis cannot be reached:"))
        return;
      throw error;
    }
  }
}

async function act(
  store: RunEventStore,
  one: Deed,
  fences: Map<string, number>,
  granted: string[],
): Promise<unknown> {
  const fence = fences.get(one.runId) ?? 1;
  const asked = { runId: one.runId, ownerId: null, fence };
  switch (one.do) {
    case "claim": {
      const outcome = await store.claim({ ...asked, leaseMs: one.leaseMs });
      if (outcome.outcome !== "granted") return;
      fences.set(one.runId, outcome.run.fence);
      granted.push(`${outcome.run.ordinal}/${outcome.run.fence}`);
      return;
    }
    case "renew":
      return store.renew({ ...asked, leaseMs: one.leaseMs });
    case "release":
      return store.release(asked);
    case "write":
      return store.append([appendOf(one.runId, 1, { appender: { by: "worker", fence } })]);
    case "end":
      return store.append([endOf(one.runId, { appender: { by: "worker", fence } })]);
    case "write as owner":
      return store.append([appendOf(one.runId, 1, { appender: { by: "owner" } })]);
    case "end as owner":
      return store.append([endOf(one.runId, { appender: { by: "owner" } })]);
    case "create":
      return store.createRun(createOf(one.runId));
    case "delete":
      return store.deleteRun(one.runId, null);
    case "list expired":
      return store.listExpired({ graceMs: 0, limit: 1 });
    case "purge":
      return store.purge({ finishedForMs: one.ageMs, limit: 1 });
  }
}
