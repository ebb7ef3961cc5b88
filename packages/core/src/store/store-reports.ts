import type { StoreDiagnostic } from "../rules/diagnostic.ts";

/** Passes an adapter's diagnostics to the logs that observe its store. */
export interface StoreReports {
  /** As the contract's `observe`. If the connection for notifications works already, the observer gets that at once. */
  observe(report: (diagnostic: StoreDiagnostic) => void): void;
  /**
   * Reports to every observer; `null` without one. Call it as `reports.report?.({ … })`, so that no diagnostic is made without an
   * observer.
   */
  readonly report: ((diagnostic: StoreDiagnostic) => void) | null;
  /** Call it when the connection for notifications works, and when it is lost. Only changes are reported. */
  connected(isUp: boolean): void;
  /** Call it when the store is closed, so that no observer counts its connection any more. */
  closed(): void;
}

/** Makes the reports of one store. */
export function createStoreReports(): StoreReports {
  const observers = new Set<(diagnostic: StoreDiagnostic) => void>();
  const toAll = (diagnostic: StoreDiagnostic): void => {
    for (const report of observers) report(diagnostic);
  };
  let wasUp = false;
  let downAtMs: number | null = null;
  return {
    observe(report) {
      if (wasUp) report({ type: "notifications_up", downMs: null });
      observers.add(report);
    },
    get report() {
      return observers.size === 0 ? null : toAll;
    },
    connected(isUp) {
      if (isUp === wasUp) return;
      wasUp = isUp;
      const now = performance.now();
      const downMs = downAtMs === null ? null : now - downAtMs;
      if (!isUp) downAtMs = now;
      toAll(
        isUp
          ? { type: "notifications_up", downMs }
          : { type: "notifications_down", reason: "lost" },
      );
    },
    closed() {
      if (wasUp) toAll({ type: "notifications_down", reason: "closed" });
      wasUp = false;
    },
  };
}
