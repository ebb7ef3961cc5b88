import { type SharedMemoryDoors, sharedMemoryDoors } from "./shared-memory.ts";

/**
 * Doors to a store that looks at the head, and only then appends: two that expect the same sequence both land. Its clock goes on
 * by one millisecond a look, so that a race that needs a lease to expire is the same race each time.
 */
export function unwaryDoors(): SharedMemoryDoors {
  let ms = Date.UTC(2026, 0);
  return sharedMemoryDoors({
    now: () => ms++,
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
