import type { ConformanceOptions } from "@tm/run-events-conformance";
import { unwaryDoors } from "../unwary-doors.ts";

/** A store that breaks S4, given by a function. */
export async function conformance(): Promise<ConformanceOptions> {
  return { name: "unwary", profile: "quick", seed: 9, ...unwaryDoors() };
}
