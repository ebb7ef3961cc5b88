import { isTerminal } from "@tm/run-events-core";
import { type AppendRequest, type RunEventStore, statusAfter } from "@tm/run-events-core/store";
import { type AppendAnswer, appendAlone, appendEach, type Mutant } from "./mutant.ts";

/** A store that does something else with some requests. */
function withRequests(
  data: RunEventStore,
  change: (request: AppendRequest) => Promise<AppendRequest> | AppendRequest,
): RunEventStore {
  return {
    ...data,
    ...appendEach(async (request) => appendAlone(data, await change(request))),
  };
}

/** A store that does something else with inputs. */
function withInputs(
  data: RunEventStore,
  appendInput: (request: AppendRequest) => Promise<AppendAnswer>,
): RunEventStore {
  return {
    ...data,
    ...appendEach((request) =>
      request.appender.by === "input" ? appendInput(request) : appendAlone(data, request),
    ),
  };
}

/** Stores that get inputs, or the runs that wait for them, wrong. */
export const inputMutants: readonly Mutant[] = [
  {
    name: "ends the lease with an input",
    clause: "S27",
    data: (data) =>
      withInputs(data, (request) => appendAlone(data, { ...request, appender: { by: "owner" } })),
  },
  {
    name: "takes a new fence with an input, and keeps the end of the lease",
    clause: "S27",
    data: (data) =>
      withInputs(data, async (request) => {
        const { runId } = request;
        const before = await data.getRun(runId);
        const answer = await appendAlone(data, request);
        const { fence = 0, leaseExpiresAtMs = null } = before ?? {};
        if (answer.outcome === "appended" && leaseExpiresAtMs !== null) {
          await data.release({ runId, ownerId: null, fence });
          const leaseMs = Math.max(1, leaseExpiresAtMs - Date.now());
          await data.claim({ runId, ownerId: null, leaseMs });
        }
        return answer;
      }),
  },
  {
    name: "refuses an input on a claimed run",
    clause: "S27",
    data: (data) =>
      withInputs(data, (request) => appendAlone(data, { ...request, appender: { by: "anybody" } })),
  },
  {
    name: "wakes a queued run by an input",
    clause: "S27",
    data: (data) =>
      withRequests(data, async (request) => {
        const run = await data.getRun(request.runId);
        const isFirst = request.change === "answered" && run?.runStatus === "queued";
        return isFirst ? { ...request, change: "started" } : request;
      }),
  },
  {
    name: "leaves a run running that asks for input",
    clause: "S27",
    data: (data) =>
      withRequests(data, (request) =>
        request.change === "waiting" ? { ...request, change: "started" } : request,
      ),
  },
  {
    name: "leaves a run waiting after its input",
    clause: "S27",
    data: (data) =>
      withRequests(data, async (request) => {
        const run = await data.getRun(request.runId);
        const isAnswer = request.change === "answered" && run?.runStatus === "waiting";
        return isAnswer ? { ...request, change: "started" } : request;
      }),
  },
  {
    name: "takes any event for the input that a run waits for",
    clause: "S27",
    data: (data) =>
      withRequests(data, async (request) => {
        const run = await data.getRun(request.runId);
        const isOther = request.change === "started" && run?.runStatus === "waiting";
        return isOther ? { ...request, change: "answered" } : request;
      }),
  },
  {
    name: "acknowledges an input on a finished run",
    clause: "S27",
    data: (data) =>
      withInputs(data, async (request) => {
        const answer = await appendAlone(data, request);
        if (answer.outcome !== "finished") return answer;
        const { lastSequence, runStatus } = answer;
        const landing = { firstSequence: lastSequence + 1, lastSequence: lastSequence + 1 };
        return { outcome: "appended", ...landing, runStatus, phase: null };
      }),
  },
  {
    name: "ignores the sequence that an input expects",
    clause: "S27",
    data: (data) =>
      withInputs(data, (request) => appendAlone(data, { ...request, expectedSequence: null })),
  },
  {
    name: "answers an append by the status that a running run would have",
    clause: "S27",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const answer = await appendAlone(data, request);
        if (answer.outcome !== "appended") return answer;
        return { ...answer, runStatus: statusAfter("running", request.change) };
      }),
    }),
  },
  {
    name: "replays an append with the status that the run has now",
    clause: "S27",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const answer = await appendAlone(data, request);
        if (answer.outcome !== "replayed" || isTerminal(request.change)) return answer;
        const run = await data.getRun(request.runId);
        return { ...answer, runStatus: run?.runStatus ?? "running" };
      }),
    }),
  },
  {
    name: "leaves the waiting runs out of the live ones",
    clause: "S27",
    data: (data) => ({
      ...data,
      async listRuns(query) {
        const runs = await data.listRuns(query);
        if (query.runStatus !== "live") return runs;
        return runs.filter(({ runStatus }) => runStatus !== "waiting");
      },
    }),
  },
  {
    name: "lists a run as waiting that has waited before",
    clause: "S27",
    data(data) {
      const waited = new Set<string>();
      return {
        ...withRequests(data, (request) => {
          if (request.change === "waiting") waited.add(request.runId);
          return request;
        }),
        async listRuns(query) {
          if (query.runStatus !== "waiting") return data.listRuns(query);
          const runs = await data.listRuns({ ...query, runStatus: "live" });
          return runs.filter(({ runId }) => waited.has(runId));
        },
      };
    },
  },
];
