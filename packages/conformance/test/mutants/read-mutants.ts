import { createPageCut, eventBytes, type ReadResult, utf8Bytes } from "@tm/run-events-core/store";
import { mapPages, mapRecords, type Mutant } from "./mutant.ts";
import { timeMutants } from "./time-mutants.ts";

/** Stores whose pages or heads are wrong. */
export const readMutants: readonly Mutant[] = [
  {
    name: "stamps the clock's time, even if it went back",
    clause: "W2",
    data(data) {
      const stamps = new Map<string, number>();
      return {
        ...data,
        async append(requests) {
          const atMs = Date.now();
          const outcomes = await data.append(requests);
          outcomes.forEach((outcome, index) => {
            if (outcome.outcome !== "appended") return;
            for (let at = outcome.firstSequence; at <= outcome.lastSequence; at++) {
              stamps.set(`${requests[index]?.runId} ${at}`, atMs);
            }
          });
          return outcomes;
        },
        ...mapPages(data, (page) => ({
          ...page,
          events: page.events.map((event) => ({
            ...event,
            createdAtMs: stamps.get(`${page.run.runId} ${event.sequence}`) ?? event.createdAtMs,
          })),
        })),
      };
    },
  },
  {
    name: "takes since as inclusive",
    clause: "S9",
    data: (data) => ({
      ...data,
      read: (queries) =>
        data.read(queries.map((query) => ({ ...query, since: Math.max(0, query.since - 1) }))),
    }),
  },
  {
    name: "reads one event more than limit",
    clause: "S9",
    data: (data) => ({
      ...data,
      read: (queries) => data.read(queries.map((query) => ({ ...query, limit: query.limit + 1 }))),
    }),
  },
  {
    name: "cuts a page to no event",
    clause: "S9",
    data: (data) => ({
      ...data,
      ...mapPages(data, (page, { maxBytes }) => {
        const first = page.events[0];
        const fits = first !== undefined && eventBytes(utf8Bytes(first.payload)) <= maxBytes;
        return fits ? page : { ...page, events: [] };
      }),
    }),
  },
  {
    name: "ignores maxBytes",
    clause: "S9",
    data: (data) => ({
      ...data,
      read: (queries) =>
        data.read(queries.map((query) => ({ ...query, maxBytes: Number.MAX_SAFE_INTEGER }))),
    }),
  },
  {
    name: "counts characters for bytes",
    clause: "S9",
    data: (data) => ({
      ...data,
      async read(queries) {
        const all = queries.map((query) => ({ ...query, maxBytes: Number.MAX_SAFE_INTEGER }));
        return (await data.read(all)).map((page, index) => {
          const query = queries[index];
          if (page === null || query === undefined) return null;
          const belongs = createPageCut(query.limit, query.maxBytes);
          const cut = page.events.findIndex((event) => !belongs(event.payload.length));
          return { ...page, events: cut === -1 ? page.events : page.events.slice(0, cut) };
        });
      },
    }),
  },
  {
    name: "reads the events first and the head later",
    clause: "S9",
    data: (data) => ({
      ...data,
      async read(queries) {
        const pages = await data.read(queries);
        return Promise.all(
          pages.map(async (page) => {
            const run = page === null ? null : await data.getRun(page.run.runId);
            return page === null || run === null ? null : { ...page, run };
          }),
        );
      },
    }),
  },
  ...timeMutants,
  {
    name: "answers the queries of a call in another order",
    clause: "S9",
    data: (data) => ({
      ...data,
      read: async (queries) => (await data.read(queries)).toReversed(),
    }),
  },
  {
    name: "answers every third read from an older one",
    clause: "S3",
    data(data) {
      const older = new Map<string, ReadResult>();
      let count = 0;
      return {
        ...data,
        ...mapPages(data, (page, query) => {
          const id = JSON.stringify(query);
          const kept = older.get(id);
          count += 1;
          if (count % 3 === 0 && kept !== undefined) return kept;
          if (kept === undefined || count % 5 === 0) older.set(id, page);
          return page;
        }),
      };
    },
  },
  {
    name: "answers getRun from a cache",
    clause: "S10",
    object(object) {
      const cache = new Map<string, ReturnType<typeof object.getRun>>();
      return {
        ...object,
        getRun(runId) {
          const kept = cache.get(runId) ?? object.getRun(runId);
          cache.set(runId, kept);
          return kept;
        },
      };
    },
  },
  {
    name: "ignores the owner of a read",
    clause: "W4",
    data: (data) => ({
      ...data,
      read: (queries) => data.read(queries.map((query) => ({ ...query, ownerId: null }))),
    }),
  },
  {
    name: "hands out its own events",
    clause: "S11",
    data(data) {
      const kept = new Map<string, ReadResult["events"][number]>();
      return {
        ...data,
        ...mapPages(data, (page) => ({
          ...page,
          events: page.events.map((event) => {
            const id = `${page.run.ordinal}/${event.sequence}`;
            const own = kept.get(id) ?? event;
            kept.set(id, own);
            return own;
          }),
        })),
      };
    },
  },
  {
    name: "hands out its own heads",
    clause: "S11",
    data(data) {
      const kept = new Map<string, ReadResult["run"]>();
      return {
        ...data,
        ...mapRecords(data, (run) => {
          const id = `${run.ordinal}/${run.lastSequence}`;
          const own = kept.get(id) ?? run;
          kept.set(id, own);
          return own;
        }),
      };
    },
  },
  {
    name: "reads nothing after the ten thousandth event",
    clause: "S12",
    data: (data) => ({
      ...data,
      ...mapPages(data, (page) => ({
        ...page,
        events: page.events.filter((event) => event.sequence <= 10_000),
      })),
    }),
  },
  {
    name: "lets createdAtMs decrease",
    clause: "W2",
    data: (data) => ({
      ...data,
      ...mapPages(data, (page) => ({
        ...page,
        events: page.events.map((event) => ({
          ...event,
          createdAtMs: event.createdAtMs - event.sequence,
        })),
      })),
    }),
  },
];
