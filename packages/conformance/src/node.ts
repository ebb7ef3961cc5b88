import { describe, it } from "node:test";
import { type ConformanceOptions, runEventStoreConformance } from "./conformance.ts";

/**
 * Registers the cases of `runEventStoreConformance` as tests of `node:test`, under the store's name. Call it where `describe` may be
 * called.
 *
 * @example
 * testEventStore({ name: "the memory store", open: () => createMemoryStore() });
 */
export function testEventStore<Place = undefined>(options: ConformanceOptions<Place>): void {
  void describe(options.name, () => {
    for (const { name, run, timeoutMs } of runEventStoreConformance(options)) {
      void it(name, { timeout: timeoutMs }, run);
    }
  });
}
