import { mapPlains } from "./mutants/inner-store.ts";
import { type Breakage, type SharedMemoryDoors, sharedMemoryDoors } from "./shared-memory.ts";

/** Doors to a store that breaks S4: it appends no matter which sequence a caller expects. */
export function unwaryDoors(breakage: Pick<Breakage, "now"> = {}): SharedMemoryDoors {
  return sharedMemoryDoors({
    ...breakage,
    data: (data) => ({
      ...data,
      ...mapPlains(data, (plain) => ({ ...plain, expectedSequence: null })),
    }),
  });
}
