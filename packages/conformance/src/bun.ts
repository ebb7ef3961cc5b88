import { describe, it } from "bun:test";
import { type ConformanceOptions, runEventStoreConformance } from "./conformance.ts";

/** The contract as tests of `bun:test`, under the store's name. To be called where `describe` may be. */
export function testEventStore<Place = undefined>(options: ConformanceOptions<Place>): void {
  describe(options.name, () => {
    for (const { name, run, timeoutMs } of runEventStoreConformance(options)) {
      it(name, async () => run(), timeoutMs);
    }
  });
}
