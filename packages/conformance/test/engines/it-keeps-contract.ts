import { type ConformanceOptions, runEventStoreConformance } from "@tm/run-events-conformance";
import { describe, it } from "vitest";

/** Registers the kit's cases on a store, under its name. */
export function itKeepsContract<Place>(options: ConformanceOptions<Place>): void {
  describe(options.name, () => {
    for (const { name, run, timeoutMs } of runEventStoreConformance(options)) {
      it(name, run, timeoutMs);
    }
  });
}
