import type { Head, OwnerQuery, RunEventStore, RunName } from "@tm/run-events-core/store";
import { mapChanges } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** A creation that asks whether its topic has a live run. */
interface Asked extends RunName {
  readonly topic: string;
}

/** A store that shows such creations another holder of their topic. */
function holderFrom(
  find: (data: RunEventStore, asked: Asked) => Promise<RunName | null>,
): (data: RunEventStore) => RunEventStore {
  return (data) => ({
    ...data,
    async change(changes) {
      const holders = new Map<RunName, RunName | null>();
      for (const change of changes) {
        const { ownerId, runId, topic = null } = change;
        if (topic !== null) holders.set(change, await find(data, { ownerId, runId, topic }));
      }
      return mapChanges(data, {
        see: (seen, change) =>
          seen.head === null && holders.has(change)
            ? { ...seen, holder: holders.get(change) ?? null }
            : seen,
      }).change(changes);
    },
  });
}

/** A store whose holder is the newest of these runs. */
function newestOf(
  query: (asked: Asked) => Partial<OwnerQuery>,
  counts: (head: Head, asked: Asked) => boolean = () => true,
): (data: RunEventStore) => RunEventStore {
  return holderFrom(async (data, asked) => {
    const { ownerId, topic } = asked;
    const all = { ownerId, topic, runStatus: "live", before: null, limit: 1_000 } as const;
    const heads = await data.list({ ...all, ...query(asked) });
    return heads.find((head) => counts(head, asked)) ?? null;
  });
}

/** Stores that give a topic to two runs, or to none. */
export const placeMutants: readonly Mutant[] = [
  {
    name: "keeps a place until its run is removed",
    clause: "S21",
    data: newestOf(() => ({ runStatus: null })),
  },
];
