import { runEventStoreConformance } from "@tm/run-events-conformance";
import { describe, it, vi } from "vitest";
import { bridgedDoors } from "./bridged-doors.ts";
import { GONE } from "./judge.ts";

/** Registers the kit's cases for a store of the new contract, without those of promises that are gone. */
export function testBridgedStore(name: string, doors: object, profile: "quick" | "ci"): void {
  const cases = runEventStoreConformance({ name, profile, ...bridgedDoors(doors) });
  describe(name, () => {
    for (const one of cases.filter((each) => !GONE.test(each.name))) {
      it(
        one.name,
        async (context) => {
          vi.stubEnv("NO_FEED", "1");
          await one.run(context);
        },
        one.timeoutMs,
      );
    }
  });
}
