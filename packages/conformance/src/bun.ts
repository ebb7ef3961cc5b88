import { describe, it } from "bun:test";
import { type ConformanceOptions, runEventStoreConformance } from "./conformance.ts";

/**
 * Registers the cases of `runEventStoreConformance` as tests of `bun:test`, under the store's name. Call it where `describe` may be
 * called.
 *
 * @example
 * testEventStore({ name: "the memory store", open: () => createMemoryStore() });
 */
export function testEventStore<Place = undefined>(options: ConformanceOptions<Place>): void {
  describe(options.name, () => {
    for (const { name, run, timeoutMs } of runEventStoreConformance(options)) {
      it(name, async () => run(), timeoutMs);
    }
  });
}
