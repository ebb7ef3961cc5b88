import type { ConformanceOptions } from "@tm/run-events-conformance";
import { expect, it } from "vitest";
import { casesOnLeaks, LEAK_FOUND } from "../../conformance/test/leaking-doors.ts";

/** Tests that the kit finds these stores if their failures show what was to be written. */
export function itFindsLeaks<Place>(options: ConformanceOptions<Place>): void {
  it.each(casesOnLeaks(options))("the kit finds a store that breaks $name", async ({ run }) => {
    await expect(run()).rejects.toThrow(LEAK_FOUND);
  });
}
