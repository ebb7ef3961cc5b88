import { isTerminal } from "@tm/run-events-core";
import {
  dueKindOf,
  type DueQuery,
  type Head,
  nameKey,
  type OwnerQuery,
  type RunEventStore,
} from "@tm/run-events-core/store";
import type { DueKind } from "../../../core/src/rules/due.ts";
import { headOf, mapChanges } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

const FOR_EVER = 10_000_000_000;
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

const withQuery = (change: (query: DueQuery) => Partial<DueQuery>): ReturnType<typeof mapDue> =>
  mapDue((data, query) => data.list({ ...query, ...change(query) }));

/** A store whose index of due runs is not moved by such a change of a run. */
function leaving(
  isLeft: (before: Head, after: Head) => boolean,
): (data: RunEventStore) => RunEventStore {
  return (data) => {
    /** What the index knows of each run. */
    const entries = new Map<string, Head>();
    return {
      ...data,
      ...mapChanges(data, {
        commit(decision, { head }, change) {
          const { after } = decision;
          if (after === null) entries.delete(nameKey(change));
          else if (after !== undefined && (head === null || !isLeft(head, after))) {
            entries.set(nameKey(change), after);
          }
          return decision;
        },
      }),
      async list(query: OwnerQuery | DueQuery) {
        if (!("due" in query)) return data.list(query);
        const found = [...entries.values()]
          .filter((one) => dueKindOf(one) === query.due && one.dueMs <= Date.now() - query.forMs)
          .toSorted((a, b) => a.dueMs - b.dueMs)
          .slice(0, query.limit);
        const heads = await Promise.all(found.map((one) => headOf(data, one)));
        return heads.flatMap((head) => head ?? []);
      },
    };
  };
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

const kindMoves = (before: Head, after: Head): boolean => dueKindOf(before) !== dueKindOf(after);

/** Stores that miss a run that is due, or find one that is not. */
export const dueIndexMutants: readonly Mutant[] = [
  {
    name: "finds runs before they are due",
    clause: "S23",
    data: withQuery(({ forMs }) => ({ forMs: forMs - FOR_EVER })),
  },
  {
    name: "finds runs that are due, but not for as long as asked",
    clause: "S23",
    data: withQuery(() => ({ forMs: 0 })),
  },
  {
    name: "finds runs a second after they are due",
    clause: "S23",
    data: withQuery(({ forMs }) => ({ forMs: forMs + 1_000 })),
  },
  {
    name: "finds those first that are due last",
    clause: "S23",
    data: mapDue(async (data, query) => (await data.list(query)).toReversed()),
  },
  {
    name: "finds those first that were created first",
    clause: "S23",
    data: mapDue(async (data, { limit, ...query }) => {
      const all = await data.list({ ...query, limit: MANY });
      return all.toSorted((a, b) => a.ordinal - b.ordinal).slice(0, limit);
    }),
  },
  {
    name: "finds more due runs than asked for",
    clause: "S23",
    data: withQuery(({ limit }) => ({ limit: limit + 1 })),
  },
  {
    name: "finds the due runs of the first thousand alone that wait for the same",
    clause: "S23",
    data: mapDue(async (data, { forMs, limit, ...query }) => {
      const oldest = await data.list({ ...query, forMs: -FOR_EVER, limit });
      return oldest.toReversed().filter(({ dueMs }) => dueMs <= Date.now() - forMs);
    }),
  },
  {
    name: "finds runs that a worker has among those that wait for one",
    clause: "S23",
    data: mapDue((data, query) => {
      const isFree = query.due !== "leased" && query.due !== "finished";
      return isFree ? ofKinds(data, query, [query.due, "leased"]) : data.list(query);
    }),
  },
  {
    name: "finds runs that wait for a person among those that wait for a worker",
    clause: "S23",
    data: mapDue((data, query) =>
      query.due === "running" ? ofKinds(data, query, ["running", "waiting"]) : data.list(query),
    ),
  },
  {
    name: "finds no run that waits for its first worker",
    clause: "S23",
    data: mapDue((data, query) => (query.due === "queued" ? [] : data.list(query))),
  },
  {
    name: "finds due runs of one owner alone",
    clause: "S23",
    data: mapDue(async (data, query) => {
      const heads = await data.list(query);
      return heads.filter(({ ownerId }) => ownerId === heads[0]?.ownerId);
    }),
  },
  {
    name: "leaves a run in the index under what it waited for before",
    clause: "S23",
    data: leaving(kindMoves),
  },
  {
    name: "does not find a run again whose lease was released",
    clause: "S23",
    data: leaving(
      (before, after) => dueKindOf(before) === "leased" && !isTerminal(after.runStatus),
    ),
  },
  {
    name: "leaves a run that was claimed in the index of those that wait for a worker",
    clause: "S23",
    data: leaving((_, after) => dueKindOf(after) === "leased"),
  },
  {
    name: "does not move a run in the index that waits for a person",
    clause: "S23",
    data: leaving((_, { runStatus }) => runStatus === "waiting"),
  },
  {
    name: "does not find a run that has ended until another ends",
    clause: "S17",
    data(data) {
      let last: string | null = null;
      return {
        ...data,
        ...mapChanges(data, {
          commit(decision, { head }, change) {
            const { after } = decision;
            const isEnd = after != null && isTerminal(after.runStatus);
            if (isEnd && head !== null && !isTerminal(head.runStatus)) last = nameKey(change);
            return decision;
          },
        }),
        async list(query: OwnerQuery | DueQuery) {
          const heads = await data.list(query);
          if (!("due" in query) || query.due !== "finished") return heads;
          return heads.filter((head) => nameKey(head) !== last);
        },
      };
    },
  },
  {
    name: "does not save the due time of a run that is put off",
    clause: "S23",
    data: (data) => ({
      ...data,
      ...mapChanges(data, {
        commit(decision, { head }) {
          const { after } = decision;
          const isPutOff =
            after != null && head !== null && !kindMoves(head, after) && after.dueMs > head.dueMs;
          return isPutOff ? { ...decision, after: { ...after, dueMs: head.dueMs } } : decision;
        },
      }),
    }),
  },
  {
    name: "puts a run off for an hour more than was decided",
    clause: "S23",
    data: (data) => ({
      ...data,
      ...mapChanges(data, {
        commit(decision, { head }) {
          const { after } = decision;
          if (after == null || head === null || after.dueMs === head.dueMs) return decision;
          const isFree = dueKindOf(after) !== "leased" && dueKindOf(after) !== "finished";
          return isFree
            ? { ...decision, after: { ...after, dueMs: after.dueMs + 3_600_000 } }
            : decision;
        },
      }),
    }),
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
  {
    name: "returns runs as purged that stay",
    clause: "S17",
    data(data) {
      const stay = new Set<number>();
      return {
        ...data,
        ...mapChanges(data, {
          commit: (decision, { head }) => {
            const { after, ...others } = decision;
            if (after === null && head !== null) stay.add(head.ordinal);
            return after === null ? others : decision;
          },
        }),
        list: async (query) =>
          (await data.list(query)).filter(({ ordinal }) => !("due" in query) || !stay.has(ordinal)),
      };
    },
  },
];
