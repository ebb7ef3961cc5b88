import { isTerminal } from "@tm/run-events-core";
import {
  type DueKind,
  dueKindOf,
  type DueQuery,
  type Head,
  nameKey,
  type OwnerQuery,
  type RunEventStore,
} from "@tm/run-events-core/store";
import type { KitStore } from "../../src/kit-store.ts";
import { headOf, mapChanges } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";
import { turns } from "./turns.ts";

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

/** The runs that wait for one of these things, whatever was asked. */
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
const indexMutants: readonly Mutant[] = [
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
    name: "finds no run that nobody has claimed yet",
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
    clause: "S24",
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
];

/** A store that takes another limit for what is due. */
const withLimit =
  (change: (limitMs: number) => number): NonNullable<Mutant["rules"]> =>
  () =>
  (store) => ({
    ...store,
    endDue: (name, { kind, limitMs }) => store.endDue(name, { kind, limitMs: change(limitMs) }),
  });

type Purge = Parameters<KitStore["purge"]>[0];

const withPurge =
  (change: (request: Purge) => Purge): NonNullable<Mutant["rules"]> =>
  () =>
  (store) => ({ ...store, purge: (request) => store.purge(change(request)) });

/** Stores that end or remove a run that is not due, or leave one that is. */
const ruleMutants: readonly Mutant[] = [
  {
    name: "ends runs that are not due",
    clause: "S23",
    rules: withLimit((limitMs) => limitMs - FOR_EVER),
  },
  {
    name: "ends runs that are due, but not for long enough",
    clause: "S23",
    rules: withLimit(() => 0),
  },
  {
    name: "leaves runs that are due",
    clause: "S23",
    rules: withLimit((limitMs) => limitMs + 60_000),
  },
  {
    name: "ends a run that waits for something else than was asked",
    clause: "S23",
    rules: () => (store) => ({
      ...store,
      async endDue(name, limit) {
        const outcome = await store.endDue(name, limit);
        const run = outcome === "left" ? await store.getRun(name.runId, name.ownerId) : null;
        const kind = run === null ? "finished" : dueKindOf(run);
        if (kind === "finished" || kind === limit.kind) return outcome;
        return store.endDue(name, { ...limit, kind });
      },
    }),
  },
  {
    name: "answers each of two reapers that it has ended the run",
    clause: "S23",
    rules: () => (store) => ({
      ...store,
      async endDue(name, limit) {
        const outcome = await store.endDue(name, limit);
        const run = await store.getRun(name.runId, name.ownerId);
        return outcome === "left" && run?.runStatus === "failed" ? "ended" : outcome;
      },
    }),
  },
  {
    name: "releases the lease of a run that it should end",
    clause: "S23",
    rules: () => (store) => ({
      ...store,
      async endDue(name, limit) {
        if (limit.kind !== "leased") return store.endDue(name, limit);
        const run = await store.getRun(name.runId, name.ownerId);
        if (run?.leaseExpiresAtMs == null || run.leaseExpiresAtMs > Date.now()) return "left";
        await store.release({ ...name, fence: run.fence });
        return "released";
      },
    }),
  },
  {
    name: "ends a run some turns after it saw that it is due, whoever has it by then",
    clause: "S23",
    rules: () => (store) => ({
      ...store,
      async endDue(name, limit) {
        const run = await store.getRun(name.runId, name.ownerId);
        const isDue = run !== null && dueKindOf(run) === limit.kind && limit.kind !== "leased";
        await turns(1);
        const later = await store.getRun(name.runId, name.ownerId);
        if (!isDue || later === null || isTerminal(later.runStatus)) {
          return store.endDue(name, limit);
        }
        const kind = dueKindOf(later);
        const limitMs = -FOR_EVER;
        return kind === "finished" ? "left" : store.endDue(name, { kind, limitMs });
      },
    }),
  },
  {
    name: "purges runs that finished later",
    clause: "S24",
    rules: withPurge((request) => ({ ...request, finishedForMs: 0 })),
  },
  {
    name: "purges runs a second before they are old enough",
    clause: "S24",
    rules: withPurge(({ finishedForMs, limit }) => ({
      ...{ finishedForMs: Math.max(0, finishedForMs - 1_000), limit },
    })),
  },
  {
    name: "leaves runs that are just old enough",
    clause: "S24",
    rules: withPurge(({ finishedForMs, limit }) => ({
      ...{ finishedForMs: finishedForMs * 2 + 1, limit },
    })),
  },
  {
    name: "purges more runs than asked for",
    clause: "S24",
    rules: withPurge((request) => ({ ...request, limit: MANY })),
  },
  {
    name: "purges those first that were created first",
    clause: "S24",
    data: mapDue(async (data, query) => {
      if (query.due !== "finished") return data.list(query);
      const all = await data.list({ ...query, limit: MANY });
      return all.toSorted((a, b) => a.ordinal - b.ordinal).slice(0, query.limit);
    }),
  },
  {
    name: "purges those first that finished last",
    clause: "S24",
    data: mapDue(async (data, query) => (await data.list(query)).toReversed()),
  },
  {
    name: "returns runs as purged that stay",
    clause: "S24",
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

/** Stores that get wrong what is due, or what becomes of it. */
export const dueMutants: readonly Mutant[] = [...indexMutants, ...ruleMutants];
