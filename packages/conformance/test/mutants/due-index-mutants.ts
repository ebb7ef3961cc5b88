import { type DueQuery, type Head, nameKey, type RunEventStore } from "@tm/run-events-core/store";
import type { DataFault, Faults } from "./mutant.ts";

const MANY = 100_000;

/** Changes the answers of lists of due runs. */
function mapDue(
  listDue: (list: RunEventStore["list"], query: DueQuery) => Promise<readonly Head[]>,
): DataFault {
  return (data) => ({
    list: (query) => ("due" in query ? listDue((one) => data.list(one), query) : data.list(query)),
  });
}

const backwards = mapDue(async (list, query) => {
  const all = await list({ ...query, limit: MANY });
  return all.toReversed().slice(0, query.limit);
});

/** Stores that miss a run that is due, or find one that is not. */
export const dueIndexFaults: Faults = {
  "S23 finds those first that are due last": backwards,
  "S17 purges those first that finished last": backwards,
  "S23 finds runs that wait for a person among those that wait for a worker": mapDue(
    async (list, query) => {
      if (query.due !== "running") return list(query);
      const heads = [...(await list(query)), ...(await list({ ...query, due: "waiting" }))];
      return heads.toSorted((a, b) => a.dueMs - b.dueMs).slice(0, query.limit);
    },
  ),
  "S23 finds due runs as they were when it found them first"(data) {
    const known = new Map<string, Head>();
    return mapDue(async (list, query) =>
      (await list(query)).map((head) => {
        const first = known.get(nameKey(head)) ?? head;
        known.set(nameKey(head), first);
        return first;
      }),
    )(data);
  },
  "S17 purges those first that were created first": mapDue(async (list, query) => {
    if (query.due !== "finished") return list(query);
    const all = await list({ ...query, limit: MANY });
    return all.toSorted((a, b) => a.ordinal - b.ordinal).slice(0, query.limit);
  }),
};
