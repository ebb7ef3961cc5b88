import type { RunEventStore, RunRecord } from "@tm/run-events-core/store";
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
  {
    name: "ignores the topic that the list asks for",
    clause: "S25",
    data: (data) => ({
      ...data,
      listRuns: (query) => data.listRuns({ ...query, topic: null }),
    }),
  },
  {
    name: "filters the list by topic after it cut it",
    clause: "S25",
    data: (data) => ({
      ...data,
      async listRuns({ topic = null, ...query }) {
        const runs = await data.listRuns(query);
        return runs.filter((run) => topic === null || run.topic === topic);
      },
    }),
  },
  {
    name: "takes topics for the same whose letters differ in case alone",
    clause: "S25",
    data: (data) => ({
      ...data,
      listRuns: ofTopic(data, (topic) => topic.toLowerCase()),
    }),
  },
  {
    name: "takes topics for the same that differ by spaces at the end",
    clause: "S25",
    data: (data) => ({
      ...data,
      listRuns: ofTopic(data, (topic) => topic.trimEnd()),
    }),
  },
  {
    name: "takes topics for the same that look the same in another normal form",
    clause: "S25",
    data: (data) => ({
      ...data,
      listRuns: ofTopic(data, (topic) => topic.normalize("NFC")),
    }),
  },
  {
    name: "compares only the first 199 characters of a topic",
    clause: "S25",
    data: (data) => ({
      ...data,
      listRuns: ofTopic(data, (topic) => topic.slice(0, 199)),
    }),
  },
  {
    name: "gives an existing run the topic of the creation that finds it",
    clause: "S25",
    data(data) {
      const topics = new Map<string, string | null>();
      const withTopic = (run: RunRecord): RunRecord => ({
        ...run,
        topic: topics.has(run.runId) ? (topics.get(run.runId) ?? null) : run.topic,
      });
      return {
        ...data,
        async createRun(request) {
          const created = await data.createRun(request);
          if (created.outcome !== "existing") return created;
          topics.set(request.runId, request.topic ?? null);
          return { ...created, run: withTopic(created.run) };
        },
        async getRun(runId) {
          const run = await data.getRun(runId);
          return run === null ? null : withTopic(run);
        },
      };
    },
  },
  {
    name: "loses the topic of a run in what a claim answers",
    clause: "S25",
    data: (data) => ({
      ...data,
      async claim(request) {
        const outcome = await data.claim(request);
        if (outcome.outcome !== "granted") return outcome;
        return { ...outcome, run: { ...outcome.run, topic: null } };
      },
    }),
  },
  {
    name: "loses the topic of a run in what a read answers",
    clause: "S25",
    data: (data) => ({
      ...data,
      async read(queries) {
        const results = await data.read(queries);
        return results.map((result) =>
          result === null ? null : { ...result, run: { ...result.run, topic: null } },
        );
      },
    }),
  },
  {
    name: "takes queued runs for such as are not live",
    clause: "S25",
    data: (data) => ({
      ...data,
      listRuns: (query) =>
        data.listRuns(query.runStatus === "live" ? { ...query, runStatus: "running" } : query),
    }),
  },
  {
    name: "takes every run for a live one",
    clause: "S25",
    data: (data) => ({
      ...data,
      listRuns: (query) =>
        data.listRuns(query.runStatus === "live" ? { ...query, runStatus: null } : query),
    }),
  },
  {
    name: "lists live runs one status after the other, not newest first",
    clause: "S25",
    data: (data) => ({
      ...data,
      async listRuns(query) {
        if (query.runStatus !== "live") return data.listRuns(query);
        const queued = await data.listRuns({ ...query, runStatus: "queued" });
        const running = await data.listRuns({ ...query, runStatus: "running" });
        return [...queued, ...running].slice(0, query.limit);
      },
    }),
  },
];

/** A list that takes topics for the same whose `shapeOf` is. */
function ofTopic(
  data: RunEventStore,
  shapeOf: (topic: string) => string,
): RunEventStore["listRuns"] {
  return async ({ topic = null, before, limit, ...query }) => {
    if (topic === null) return data.listRuns({ ...query, before, limit });
    const runs = await data.listRuns({ ...query, before, limit: 1_000_000 });
    return runs
      .filter((run) => run.topic !== null && shapeOf(run.topic) === shapeOf(topic))
      .slice(0, limit);
  };
}
