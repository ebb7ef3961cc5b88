import type { RunEventStore } from "@tm/run-events-core/store";
import { vi } from "vitest";

/** A bell that counts. */
export interface Bell {
  rings(): number;
  stop(): void;
}

/** Hangs a bell on a run. */
export function hangBell(store: RunEventStore, runId: string): Bell {
  const wake = vi.fn();
  const watch = store.watch(runId, wake);
  return { rings: () => wake.mock.calls.length, stop: () => watch.stop() };
}
