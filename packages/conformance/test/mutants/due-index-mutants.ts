import {
  type DueQuery,
  type Head,
  nameKey,
  type OwnerQuery,
  type RunEventStore,
} from "@tm/run-events-core/store";
import type { DueKind } from "../../../core/src/rules/due.ts";
import type { Mutant } from "./mutant.ts";

const MANY = 100_000;

/** A store that answers otherwise what is due. */
function mapDue(
  listDue: (
    data: RunEventStore,
    query: DueQuery,
  ) => ReturnType<RunEventStore["list"]> | readonly Head[],
): (data: RunEventStore) => RunEventStore {
  return (data) => ({
    ...data,
    list: async (query) => ("due" in query ? listDue(data, query) : data.list(query)),
  });
}

/** The runs that wait for one of these things, no matter what was asked. */
async function ofKinds(
  data: RunEventStore,
  query: DueQuery,
  kinds: readonly DueKind[],
): Promise<readonly Head[]> {
  const lists = await Promise.all(kinds.map((due) => data.list({ ...query, due })));
  return lists
    .flat()
    .toSorted((a, b) => a.dueMs - b.dueMs)
    .slice(0, query.limit);
}

/** Stores that miss a run that is due, or find one that is not. */
export const dueIndexMutants: readonly Mutant[] = [
  {
    name: "finds those first that are due last",
    clause: "S23",
    data: mapDue(async (data, query) => (await data.list(query)).toReversed()),
  },
  {
    name: "finds runs that wait for a person among those that wait for a worker",
    clause: "S23",
    data: mapDue((data, query) =>
      query.due === "running" ? ofKinds(data, query, ["running", "waiting"]) : data.list(query),
    ),
  },
  {
    name: "finds due runs as they were when it found them first",
    clause: "S23",
    data(data) {
      const known = new Map<string, Head>();
      return {
        ...data,
        async list(query: OwnerQuery | DueQuery) {
          const heads = await data.list(query);
          if (!("due" in query)) return heads;
          return heads.map((head) => {
            const first = known.get(nameKey(head)) ?? head;
            known.set(nameKey(head), first);
            return first;
          });
        },
      };
    },
  },
  {
    name: "purges those first that were created first",
    clause: "S17",
    data: mapDue(async (data, query) => {
      if (query.due !== "finished") return data.list(query);
      const all = await data.list({ ...query, limit: MANY });
      return all.toSorted((a, b) => a.ordinal - b.ordinal).slice(0, query.limit);
    }),
  },
  {
    name: "purges those first that finished last",
    clause: "S17",
    data: mapDue(async (data, query) => (await data.list(query)).toReversed()),
  },
];
