import type { StoreDiagnostic } from "../rules/diagnostic.ts";

/** Where an adapter's diagnostics go: nowhere, until a log observes the store. */
export interface StoreReports {
  /** As the contract's `observe`. */
  observe(report: (diagnostic: StoreDiagnostic) => void): void;
  /**
   * Reports to every observer; `null` while there is none. Call it as `reports.report?.({ … })`: without an observer, the diagnostic is
   * not even made.
   */
  readonly report: ((diagnostic: StoreDiagnostic) => void) | null;
}

/** Makes the reports of one store. */
export function createStoreReports(): StoreReports {
  let all: StoreReports["report"] = null;
  return {
    observe(report) {
      const others = all;
      all =
        others === null
          ? report
          : (diagnostic) => {
              others(diagnostic);
              report(diagnostic);
            };
    },
    get report() {
      return all;
    },
  };
}
