import type { ConformanceOptions } from "@tm/run-events-conformance";
import type { RunEventStore } from "@tm/run-events-core/store";
import { mapPlains } from "../mutants/inner-store.ts";
import { sharedMemoryDoors } from "../shared-memory.ts";

/** A store that breaks S4, given by a function: it appends no matter which sequence a caller expects. */
export async function conformance(): Promise<ConformanceOptions<RunEventStore>> {
  const doors = sharedMemoryDoors({
    data: (data) => ({
      ...data,
      ...mapPlains(data, (plain) => ({ ...plain, expectedSequence: null })),
    }),
  });
  return { name: "unwary", profile: "quick", seed: 9, ...doors };
}
