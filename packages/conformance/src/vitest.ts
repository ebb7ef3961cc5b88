import { describe, it } from "vitest";
import { type ConformanceOptions, runEventStoreConformance } from "./conformance.ts";

/**
 * Registers the cases of `runEventStoreConformance` as tests of vitest, under the store's name. Call it where `describe` may be called.
 *
 * @example
 * testEventStore({ name: "the memory store", open: () => createMemoryStore() });
 */
export function testEventStore<Place = undefined>(options: ConformanceOptions<Place>): void {
  describe(options.name, () => {
    for (const { name, run, timeoutMs } of runEventStoreConformance(options)) {
      it(name, run, timeoutMs);
    }
  });
}
