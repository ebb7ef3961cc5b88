import { describe, it } from "node:test";
import { type ConformanceOptions, runEventStoreConformance } from "./conformance.ts";

/** The contract as tests of `node:test`, under the store's name. To be called where `describe` may be. */
export function testEventStore<Place = undefined>(options: ConformanceOptions<Place>): void {
  void describe(options.name, () => {
    for (const { name, run, timeoutMs } of runEventStoreConformance(options)) {
      void it(name, { timeout: timeoutMs }, run);
    }
  });
}
