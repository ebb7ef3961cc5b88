import { type Breakage, type SharedMemoryDoors, sharedMemoryDoors } from "./shared-memory.ts";

/** Doors to a store that looks at the head, and only then appends: two that expect the same sequence both land. */
export function unwaryDoors(breakage: Pick<Breakage, "now"> = {}): SharedMemoryDoors {
  return sharedMemoryDoors({
    ...breakage,
    data: (data) => ({
      ...data,
      async append(requests) {
        const heads = await Promise.all(requests.map(async ({ runId }) => data.getRun(runId)));
        return data.append(
          requests.map((request, index) => {
            const isRight = request.expectedSequence === heads[index]?.lastSequence;
            return isRight ? { ...request, expectedSequence: null } : request;
          }),
        );
      },
    }),
  });
}
