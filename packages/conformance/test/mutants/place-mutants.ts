import type { CreateOutcome, CreateRunRequest, RunEventStore } from "@tm/run-events-core/store";
import type { Mutant } from "./mutant.ts";

/** A store whose exclusive creations pass through `change`. */
function mapExclusive(
  data: RunEventStore,
  change: (request: CreateRunRequest) => Promise<CreateOutcome>,
): RunEventStore {
  return {
    ...data,
    createRun: (request) =>
      request.exclusive === true ? change(request) : data.createRun(request),
  };
}

/** The runs of the request's topic. */
function ofTopic(
  data: RunEventStore,
  request: CreateRunRequest,
): ReturnType<RunEventStore["listRuns"]> {
  const { ownerId, topic = null } = request;
  return data.listRuns({ ownerId, topic, runStatus: null, before: null, limit: 1_000 });
}

/** Stores that give a topic to two runs, or to none. */
export const placeMutants: readonly Mutant[] = [
  {
    name: "ignores that a run is exclusive",
    clause: "S25",
    data: (data) =>
      mapExclusive(data, (request) => data.createRun({ ...request, exclusive: false })),
  },
  {
    name: "looks whether a topic has a live run, and creates the next one some turns later",
    clause: "S25",
    data: (data) =>
      mapExclusive(data, async (request) => {
        const { runId, ownerId, topic = null } = request;
        const query = { ownerId, topic, runStatus: "live", before: null, limit: 1 } as const;
        const [live] = await data.listRuns(query);
        await Promise.resolve();
        if (live !== undefined && live.runId !== runId && (await data.getRun(runId)) === null) {
          return { outcome: "topic_busy", runId: live.runId };
        }
        return data.createRun({ ...request, exclusive: false });
      }),
  },
  {
    name: "counts only exclusive runs as those of a topic",
    clause: "S25",
    data(data) {
      const placed = new Set<string>();
      return mapExclusive(data, async (request) => {
        const created = await data.createRun(request);
        if (created.outcome === "created") placed.add(request.runId);
        if (created.outcome !== "topic_busy" || placed.has(created.runId)) return created;
        return data.createRun({ ...request, exclusive: false });
      });
    },
  },
  {
    name: "counts only running runs as live ones of a topic",
    clause: "S25",
    data: (data) =>
      mapExclusive(data, async (request) => {
        const created = await data.createRun(request);
        if (created.outcome !== "topic_busy") return created;
        const holder = await data.getRun(created.runId);
        return holder?.runStatus === "queued"
          ? data.createRun({ ...request, exclusive: false })
          : created;
      }),
  },
  {
    name: "keeps a place until its run is deleted",
    clause: "S25",
    data: (data) =>
      mapExclusive(data, async (request) => {
        const [first] = await ofTopic(data, request);
        const isNew = (await data.getRun(request.runId)) === null;
        return first !== undefined && isNew
          ? { outcome: "topic_busy", runId: first.runId }
          : data.createRun(request);
      }),
  },
  {
    name: "keeps a place after the owner's cancel",
    clause: "S25",
    data: (data) =>
      mapExclusive(data, async (request) => {
        const runs = await ofTopic(data, request);
        const cancelled = runs.find(({ runStatus }) => runStatus === "cancelled");
        const isNew = (await data.getRun(request.runId)) === null;
        return cancelled !== undefined && isNew
          ? { outcome: "topic_busy", runId: cancelled.runId }
          : data.createRun(request);
      }),
  },
  {
    name: "refuses an exclusive run that exists with its own id",
    clause: "S25",
    data: (data) =>
      mapExclusive(data, async (request) => {
        const created = await data.createRun(request);
        return created.outcome === "existing" && created.run.finishedAtMs === null
          ? { outcome: "topic_busy", runId: request.runId }
          : created;
      }),
  },
  {
    name: "names the run that was refused as the one that has the topic",
    clause: "S25",
    data: (data) =>
      mapExclusive(data, async (request) => {
        const created = await data.createRun(request);
        return created.outcome === "topic_busy" ? { ...created, runId: request.runId } : created;
      }),
  },
  {
    name: "has one place for a topic of all owners",
    clause: "S25",
    data(data) {
      const owners = new Map<string, string>();
      return mapExclusive(data, async (request) => {
        const { topic = null, runId } = request;
        const holder = owners.get(topic ?? "");
        const run = holder === undefined ? null : await data.getRun(holder);
        if (run !== null && run.finishedAtMs === null && run.runId !== runId) {
          return { outcome: "topic_busy", runId: run.runId };
        }
        const created = await data.createRun(request);
        if (created.outcome === "created") owners.set(topic ?? "", runId);
        return created;
      });
    },
  },
  {
    name: "has one place for all topics of an owner",
    clause: "S25",
    data: (data) =>
      mapExclusive(data, async (request) => {
        const { ownerId, runId } = request;
        const query = { ownerId, runStatus: "live", before: null, limit: 1 } as const;
        const [live] = await data.listRuns(query);
        const isNew = (await data.getRun(runId)) === null;
        return live !== undefined && isNew
          ? { outcome: "topic_busy", runId: live.runId }
          : data.createRun(request);
      }),
  },
  {
    name: "refuses every run of a topic while an exclusive one lives",
    clause: "S25",
    data: (data) => ({
      ...data,
      createRun: (request) =>
        data.createRun({
          ...request,
          exclusive: request.topic != null || request.exclusive === true,
        }),
    }),
  },
];
