import type { ConformanceOptions } from "@tm/run-events-conformance";
import type { RunEventStore } from "@tm/run-events-core/store";
import { unwaryDoors } from "../unwary-doors.ts";

/** The options, given by a function. */
export async function conformance(): Promise<ConformanceOptions<RunEventStore>> {
  return { name: "unwary", profile: "quick", seed: 9, ...unwaryDoors() };
}
