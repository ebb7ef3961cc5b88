import type { ReadQuery, ReadResult, RunEventStore } from "@tm/run-events-core/store";
import { mapPages, type Mutant } from "./mutant.ts";

type Time = number | null | undefined;

/** A store whose reads with `withTime` have the time that `change` makes. */
function timesOf(
  change: (data: RunEventStore, page: ReadResult, query: ReadQuery) => Time | Promise<Time>,
): (data: RunEventStore) => RunEventStore {
  return (data) => ({
    ...data,
    async read(queries) {
      const pages = await data.read(queries);
      return Promise.all(
        pages.map(async (page, index) => {
          const query = queries[index];
          if (page === null || query?.withTime !== true) return page;
          return { ...page, timeAtSinceMs: (await change(data, page, query)) ?? null };
        }),
      );
    },
  });
}

/** The time of another event of the run. */
async function timeOf(data: RunEventStore, runId: string, sequence: number): Promise<Time> {
  if (sequence < 1) return null;
  const query = { runId, ownerId: null, since: sequence - 1, limit: 1, maxBytes: 1 };
  const [page] = await data.read([query]);
  return page?.events[0]?.createdAtMs;
}

/** Stores whose reads have a wrong time of the event `since`. */
export const timeMutants: readonly Mutant[] = [
  {
    name: "does not look at withTime",
    clause: "S30",
    data: (data) => ({
      ...data,
      read: (queries) => data.read(queries.map((query) => ({ ...query, withTime: false }))),
    }),
  },
  {
    name: "answers a time that was not asked for",
    clause: "S30",
    data: (data) => ({
      ...data,
      ...mapPages(data, (page, { withTime }) =>
        withTime === true ? page : { ...page, timeAtSinceMs: page.run.updatedAtMs },
      ),
    }),
  },
  {
    name: "answers the time of the event after since",
    clause: "S30",
    data: timesOf((data, { run, timeAtSinceMs }, { runId, since }) =>
      since < run.lastSequence && since > 0 ? timeOf(data, runId, since + 1) : timeAtSinceMs,
    ),
  },
  {
    name: "answers the time of the event before since",
    clause: "S30",
    data: timesOf((data, { timeAtSinceMs = null }, { runId, since }) =>
      timeAtSinceMs === null || since === 1 ? timeAtSinceMs : timeOf(data, runId, since - 1),
    ),
  },
  {
    name: "answers the time of the head, wherever since is",
    clause: "S30",
    data: timesOf((_, { run, timeAtSinceMs = null }) =>
      timeAtSinceMs === null ? null : run.updatedAtMs,
    ),
  },
  {
    name: "answers the time of the last event for a since past the end",
    clause: "S30",
    data: timesOf((_, { run, timeAtSinceMs }, { since }) =>
      since > run.lastSequence && run.lastSequence > 0 ? run.updatedAtMs : timeAtSinceMs,
    ),
  },
  {
    name: "answers the time of the creation at 0",
    clause: "S30",
    data: timesOf((_, { run, timeAtSinceMs }, { since }) =>
      since === 0 ? run.createdAtMs : timeAtSinceMs,
    ),
  },
  {
    name: "has no time at the head, since no event follows",
    clause: "S30",
    data: timesOf((_, { run, timeAtSinceMs }, { since }) =>
      since === run.lastSequence ? null : timeAtSinceMs,
    ),
  },
  {
    name: "answers the time of the first query of a call to all",
    clause: "S30",
    data(data) {
      return {
        ...data,
        async read(queries) {
          const pages = await data.read(queries);
          const first = pages.find((page) => (page?.timeAtSinceMs ?? null) !== null);
          return pages.map((page) =>
            page === null || (page.timeAtSinceMs ?? null) === null
              ? page
              : { ...page, timeAtSinceMs: first?.timeAtSinceMs ?? null },
          );
        },
      };
    },
  },
  {
    name: "reads the time in a read of its own, after the page",
    clause: "S30",
    data: timesOf(async (data, _, query) => {
      // Others append in this turn.
      await data.getRun(query.runId);
      const [later] = await data.read([query]);
      return later?.timeAtSinceMs;
    }),
  },
  {
    name: "keeps the times of a deleted run for its id",
    clause: "S30",
    data(data) {
      const kept = new Map<string, number>();
      return {
        ...data,
        ...mapPages(data, (page, { runId, since, withTime }) => {
          if (withTime !== true) return page;
          const name = `${runId} ${since}`;
          const timeAtSinceMs = page.timeAtSinceMs ?? kept.get(name) ?? null;
          if (timeAtSinceMs !== null) kept.set(name, timeAtSinceMs);
          return { ...page, timeAtSinceMs };
        }),
      };
    },
  },
];
