import type { AppendRequest, IdleQuery, RunEventStore, RunRecord } from "@tm/run-events-core/store";
import { appendAlone, appendEach, mapRecords, type Mutant } from "./mutant.ts";

/** How a wrong store finds the runs that no worker works on. */
interface Wrong {
  /** Since when a run is idle. */
  readonly since?: (run: RunRecord) => number;
  readonly belongs?: (run: RunRecord, query: IdleQuery) => boolean;
  readonly order?: (run: RunRecord) => number;
}

const rightSince = ({ runStatus, createdAtMs, updatedAtMs, idleFromMs }: RunRecord): number =>
  runStatus === "queued" ? createdAtMs : Math.max(idleFromMs, updatedAtMs);
const isFree = ({ leaseExpiresAtMs }: RunRecord): boolean => leaseExpiresAtMs === null;

async function runsOf(data: RunEventStore): Promise<readonly RunRecord[]> {
  return data.listRuns({ ownerId: "ada", runStatus: "live", before: null, limit: 10_000 });
}

function listing(
  data: RunEventStore,
  {
    since = rightSince,
    belongs = (run, { runStatus }) => run.runStatus === runStatus && isFree(run),
    order = since,
  }: Wrong,
): RunEventStore {
  return {
    ...data,
    async listIdle(query) {
      const nowMs = Date.now();
      return (await runsOf(data))
        .filter((run) => belongs(run, query) && since(run) <= nowMs - query.idleForMs)
        .toSorted((a, b) => order(a) - order(b))
        .slice(0, query.limit)
        .map(({ runId }) => runId);
    },
  };
}

type Sweeper = Extract<AppendRequest["appender"], { readonly by: "sweeper" }>;

/** Each sweeper's append passes through `change`. */
function sweeping(
  data: RunEventStore,
  change: (sweeper: Sweeper, request: AppendRequest) => Promise<AppendRequest["appender"]>,
): RunEventStore {
  return {
    ...data,
    ...appendEach(async (request) => {
      const { appender } = request;
      if (appender.by !== "sweeper") return appendAlone(data, request);
      return appendAlone(data, { ...request, appender: await change(appender, request) });
    }),
  };
}

/** Stores that miss a run that no worker works on, or end one that a worker has. */
export const idleMutants: readonly Mutant[] = [
  {
    name: "counts from the creation of a run, though it had an event since",
    clause: "S28",
    data: (data) => listing(data, { since: ({ createdAtMs }) => createdAtMs }),
  },
  {
    name: "counts from the last event of a run, though a lease was released since",
    clause: "S28",
    data: (data) =>
      listing(data, {
        since: (run) => (run.runStatus === "queued" ? run.createdAtMs : run.updatedAtMs),
      }),
  },
  {
    name: "counts from an input, though the run is still queued",
    clause: "S28",
    data: (data) =>
      listing(data, { since: ({ idleFromMs, updatedAtMs }) => Math.max(idleFromMs, updatedAtMs) }),
  },
  {
    name: "counts from a release that is sent again",
    clause: "S28",
    data(data) {
      const releasedMs = new Map<string, number>();
      const since = (run: RunRecord): number =>
        Math.max(
          rightSince(run),
          run.runStatus === "queued" ? 0 : (releasedMs.get(run.runId) ?? 0),
        );
      return {
        ...listing(data, { since }),
        async release(request) {
          const outcome = await data.release(request);
          releasedMs.set(request.runId, Date.now());
          return outcome;
        },
      };
    },
  },
  {
    name: "lists runs that a worker has as idle",
    clause: "S28",
    data: (data) => listing(data, { belongs: (run, { runStatus }) => run.runStatus === runStatus }),
  },
  {
    name: "lists runs with an expired lease as idle",
    clause: "S28",
    data: (data) =>
      listing(data, {
        belongs: (run, { runStatus }) =>
          run.runStatus === runStatus && (run.leaseExpiresAtMs ?? 0) <= Date.now(),
      }),
  },
  {
    name: "lists runs that wait for a person with those that do not",
    clause: "S28",
    data: (data) =>
      listing(data, {
        belongs: (run, { runStatus }) =>
          isFree(run) && (run.runStatus === runStatus || run.runStatus === "waiting"),
      }),
  },
  {
    name: "lists runs before they have been idle for long enough",
    clause: "S28",
    data: (data) => ({ ...data, listIdle: (query) => data.listIdle({ ...query, idleForMs: 0 }) }),
  },
  {
    name: "lists those first that were created first, though others are idle for longer",
    clause: "S28",
    data: (data) => listing(data, { order: ({ createdAtMs }) => createdAtMs }),
  },
  {
    name: "lists more idle runs than asked for",
    clause: "S28",
    data: (data) => ({
      ...data,
      listIdle: (query) => data.listIdle({ ...query, limit: query.limit + 1 }),
    }),
  },
  {
    name: "never looks again at a run that it found too early",
    clause: "S28",
    data(data) {
      const early = new Set<string>();
      return {
        ...data,
        async listIdle(query) {
          for (const run of await runsOf(data)) {
            if (rightSince(run) > Date.now() - query.idleForMs) early.add(run.runId);
          }
          return (await data.listIdle(query)).filter((runId) => !early.has(runId));
        },
      };
    },
  },
  {
    name: "lets runs that are not idle hide those that are",
    clause: "S28",
    data: (data) => ({
      ...data,
      async listIdle(query) {
        const oldest = (await runsOf(data)).toReversed().slice(0, query.limit);
        const looked = new Set(oldest.map(({ runId }) => runId));
        return (await data.listIdle({ ...query, limit: 10_000 })).filter((runId) =>
          looked.has(runId),
        );
      },
    }),
  },
  {
    name: "lets a sweeper end a claimed run",
    clause: "S28",
    data: (data) =>
      sweeping(data, async (sweeper, { runId }) => {
        const run = await data.getRun(runId);
        return run === null || isFree(run) ? sweeper : { by: "owner" };
      }),
  },
  {
    name: "lets a sweeper end a run before it has been idle for long enough",
    clause: "S28",
    data: (data) => sweeping(data, async (sweeper) => ({ ...sweeper, idleForMs: 0 })),
  },
  {
    name: "lets a sweeper end a run in another status",
    clause: "S28",
    data: (data) =>
      sweeping(data, async (sweeper, { runId }) => {
        const { runStatus = "" } = (await data.getRun(runId)) ?? {};
        const isLive = runStatus === "queued" || runStatus === "running" || runStatus === "waiting";
        return isLive ? { ...sweeper, runStatus } : sweeper;
      }),
  },
  {
    name: "judges a sweeper by what was there a moment ago",
    clause: "S28",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const { appender, runId } = request;
        if (appender.by !== "sweeper") return appendAlone(data, request);
        const run = await data.getRun(runId);
        await Promise.resolve();
        const isDue =
          run !== null &&
          run.runStatus === appender.runStatus &&
          isFree(run) &&
          rightSince(run) <= Date.now() - appender.idleForMs;
        return appendAlone(data, { ...request, appender: isDue ? { by: "owner" } : appender });
      }),
    }),
  },
  {
    name: "answers each of two sweepers that it has ended the run",
    clause: "S28",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const outcome = await appendAlone(data, request);
        if (outcome.outcome !== "finished" || request.appender.by !== "sweeper") return outcome;
        const { lastSequence, runStatus } = outcome;
        const landing = { firstSequence: lastSequence, lastSequence, runStatus, phase: null };
        return { outcome: "appended", ...landing };
      }),
    }),
  },
  {
    name: "lets a sweeper leave the fence as it is",
    clause: "S28",
    data(data) {
      const kept = new Map<string, number>();
      return {
        ...data,
        ...mapRecords(data, (run) => ({ ...run, fence: kept.get(run.runId) ?? run.fence })),
        ...appendEach(async (request) => {
          const { appender, runId } = request;
          const run = await data.getRun(runId);
          const outcome = await appendAlone(data, request);
          const isSwept = appender.by === "sweeper" && outcome.outcome === "appended";
          if (isSwept && run !== null) kept.set(runId, run.fence);
          return outcome;
        }),
      };
    },
  },
];
