import { type Breakage, type SharedMemoryDoors, sharedMemoryDoors } from "./shared-memory.ts";

/** Doors to a store that looks at the head, and only then appends: two that expect the same sequence both land. */
export function unwaryDoors(breakage: Pick<Breakage, "now"> = {}): SharedMemoryDoors {
  return sharedMemoryDoors({
    ...breakage,
    data: (data) => ({
      ...data,
      async append(plains) {
        const found = await data.read(
          plains.map((plain) => ({ ...plain, since: 0, limit: 0, maxBytes: 1 })),
        );
        return data.append(
          plains.map((plain, index) => {
            const isRight = plain.expectedSequence === found[index]?.head.lastSequence;
            return isRight ? { ...plain, expectedSequence: null } : plain;
          }),
        );
      },
    }),
  });
}
