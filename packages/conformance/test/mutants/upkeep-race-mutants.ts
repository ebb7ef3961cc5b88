import { isTerminal } from "@tm/run-events-core";
import type { CreateRunRequest, RunEventStore } from "@tm/run-events-core/store";
import { appendAlone, appendEach, type Mutant } from "./mutant.ts";

const TURNS = 3;

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
}

/** A store whose exclusive creations, of a topic that the store has seen, go through `create`. */
function mapStarts(
  data: RunEventStore,
  create: (request: CreateRunRequest) => ReturnType<RunEventStore["createRun"]>,
): RunEventStore {
  return {
    ...data,
    createRun: (request) =>
      request.exclusive === true && request.claim ? create(request) : data.createRun(request),
  };
}

/** Stores whose upkeep and whose creations are right as long as one caller is alone. */
export const upkeepRaceMutants: readonly Mutant[] = [
  {
    name: "ends a run as idle no matter who has it by then",
    clause: "S4",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const { appender, runId } = request;
        if (appender.by !== "sweeper") return appendAlone(data, request);
        const run = await data.getRun(runId);
        const isIdle = run?.runStatus === appender.runStatus;
        await turns();
        return appendAlone(data, isIdle ? { ...request, appender: { by: "owner" } } : request);
      }),
    }),
  },
  {
    name: "ends a run as idle though it has come to another status meanwhile",
    clause: "S4",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const { appender, runId } = request;
        const run = await data.getRun(runId);
        const isLive = run !== null && !isTerminal(run.runStatus) && run.leaseExpiresAtMs === null;
        if (appender.by !== "sweeper" || !isLive) return appendAlone(data, request);
        const runStatus = run.runStatus as typeof appender.runStatus;
        return appendAlone(data, { ...request, appender: { ...appender, runStatus } });
      }),
    }),
  },
  {
    name: "lets a reaper end a run whose lease was renewed while it looked",
    clause: "S4",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        if (request.appender.by !== "reaper") return appendAlone(data, request);
        const run = await data.getRun(request.runId);
        const isHeld = run !== null && run.leaseExpiresAtMs !== null;
        if (!isHeld) return appendAlone(data, request);
        return appendAlone(data, { ...request, appender: { by: "owner" } });
      }),
    }),
  },
  {
    name: "gives two creations that race the place of one topic",
    clause: "S4",
    data: (data) =>
      mapStarts(data, async (request) => {
        const { ownerId, topic = null } = request;
        const asked = { ownerId, runStatus: "live" as const, topic, before: null, limit: 1 };
        const [holder] = await data.listRuns(asked);
        await turns();
        if (holder !== undefined && holder.runId !== request.runId) return data.createRun(request);
        return data.createRun({ ...request, exclusive: false });
      }),
  },
  {
    name: "refuses one more creation when the run that had the place has ended",
    clause: "S4",
    data(data) {
      const last = new Map<string, string>();
      return mapStarts(data, async (request) => {
        const topic = request.topic ?? "";
        const holder = last.get(topic);
        const held = holder === undefined ? null : await data.getRun(holder);
        if (held !== null && held.runId !== request.runId && isTerminal(held.runStatus)) {
          last.delete(topic);
          return { outcome: "topic_busy", runId: held.runId };
        }
        const answer = await data.createRun(request);
        if (answer.outcome === "created") last.set(topic, request.runId);
        return answer;
      });
    },
  },
  {
    name: "creates a run in one step and claims it in another",
    clause: "S4",
    data: (data) =>
      mapStarts(data, async ({ claim, ...request }) => {
        const created = await data.createRun(request);
        if (created.outcome !== "created" || !claim) {
          return data.createRun({ ...request, ...(claim && { claim }) });
        }
        await turns();
        const claimed = await data.createRun({ ...request, claim });
        return claimed.outcome === "existing" ? { ...claimed, outcome: "created" } : claimed;
      }),
  },
];
