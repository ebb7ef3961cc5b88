import type { Mutant } from "./mutant.ts";

/** Stores that list wrongly. */
export const listMutants: readonly Mutant[] = [
  {
    name: "lists the oldest runs first",
    clause: "W14",
    data: (data) => ({
      ...data,
      async listRuns(query) {
        const all = await data.listRuns({ ...query, before: null, limit: 1_000_000 });
        return all
          .toReversed()
          .filter((run) => query.before === null || run.ordinal > query.before)
          .slice(0, query.limit);
      },
    }),
  },
  {
    name: "begins a page of the list with the run that ended the one before",
    clause: "W14",
    data: (data) => ({
      ...data,
      listRuns: (query) =>
        data.listRuns({ ...query, before: query.before === null ? null : query.before + 1 }),
    }),
  },
  {
    name: "ignores the status that the list asks for",
    clause: "W14",
    data: (data) => ({
      ...data,
      listRuns: (query) => data.listRuns({ ...query, runStatus: null }),
    }),
  },
  {
    name: "filters the list by status after it cut it",
    clause: "W14",
    data: (data) => ({
      ...data,
      async listRuns(query) {
        const runs = await data.listRuns({ ...query, runStatus: null });
        return runs.filter((run) => query.runStatus === null || run.runStatus === query.runStatus);
      },
    }),
  },
  {
    name: "lists a thousand runs at most",
    clause: "S12",
    data: (data) => ({
      ...data,
      async listRuns(query) {
        const all = await data.listRuns({ ...query, before: null, limit: 1_000 });
        return all
          .filter((run) => query.before === null || run.ordinal < query.before)
          .slice(0, query.limit);
      },
    }),
  },
  {
    name: "lists the runs of all owners",
    clause: "W4",
    data(data) {
      const owners = new Set<string>();
      return {
        ...data,
        createRun(request) {
          owners.add(request.ownerId);
          return data.createRun(request);
        },
        async listRuns(query) {
          const lists = [...owners].map((ownerId) => data.listRuns({ ...query, ownerId }));
          return (await Promise.all(lists)).flat().toSorted((a, b) => b.ordinal - a.ordinal);
        },
      };
    },
  },
];
