import { statusAfter } from "@tm/run-events-core/store";
import type { KitStore } from "../../src/kit-store.ts";
import {
  type AppendAnswer,
  appendAlone,
  appendEach,
  type Mutant,
  type Request,
  runOfRequest,
} from "./mutant.ts";

/** A store that does something else with some requests. */
function withRequests(
  data: KitStore,
  change: (request: Request) => Promise<Request> | Request,
): KitStore {
  return {
    ...data,
    ...appendEach(async (request) => appendAlone(data, await change(request))),
  };
}

/** A store that does something else with inputs. */
function withInputs(
  data: KitStore,
  appendInput: (request: Request) => Promise<AppendAnswer>,
): KitStore {
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
    clause: "S5",
    rules: () => (data) =>
      withInputs(data, (request) => appendAlone(data, { ...request, appender: { by: "owner" } })),
  },
  {
    name: "takes a new fence with an input, and keeps the end of the lease",
    clause: "S5",
    rules: () => (data) =>
      withInputs(data, async (request) => {
        const { runId } = request;
        const before = await data.getRun(runId);
        const answer = await appendAlone(data, request);
        const { fence = 0, leaseExpiresAtMs = null } = before ?? {};
        if (answer.outcome === "appended" && leaseExpiresAtMs !== null) {
          await data.release({ runId, fence });
          const leaseMs = Math.max(1, leaseExpiresAtMs - Date.now());
          await data.claim({ runId, leaseMs });
        }
        return answer;
      }),
  },
  {
    name: "refuses an input on a claimed run",
    clause: "S5",
    rules: () => (data) =>
      withInputs(data, (request) => appendAlone(data, { ...request, appender: { by: "anybody" } })),
  },
  {
    name: "wakes a queued run by an input",
    clause: "S5",
    rules: () => (data) =>
      withRequests(data, async (request) => {
        const run = await runOfRequest(data, request);
        const isFirst = request.change === "answered" && run?.runStatus === "queued";
        return isFirst ? { ...request, change: "started" } : request;
      }),
  },
  {
    name: "leaves a run running that asks for input",
    clause: "S5",
    rules: () => (data) =>
      withRequests(data, (request) =>
        request.change === "waiting" ? { ...request, change: "started" } : request,
      ),
  },
  {
    name: "leaves a run waiting after its input",
    clause: "S5",
    rules: () => (data) =>
      withRequests(data, async (request) => {
        const run = await runOfRequest(data, request);
        const isAnswer = request.change === "answered" && run?.runStatus === "waiting";
        return isAnswer ? { ...request, change: "started" } : request;
      }),
  },
  {
    name: "takes any event for the input that a run waits for",
    clause: "S5",
    rules: () => (data) =>
      withRequests(data, async (request) => {
        const run = await runOfRequest(data, request);
        const isOther = request.change === "started" && run?.runStatus === "waiting";
        return isOther ? { ...request, change: "answered" } : request;
      }),
  },
  {
    name: "acknowledges an input on a finished run",
    clause: "S5",
    rules: () => (data) =>
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
    clause: "S5",
    rules: () => (data) =>
      withInputs(data, (request) => appendAlone(data, { ...request, expectedSequence: null })),
  },
  {
    name: "answers an append by the status that a running run would have",
    clause: "S5",
    rules: () => (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const answer = await appendAlone(data, request);
        if (answer.outcome !== "appended") return answer;
        return { ...answer, runStatus: statusAfter("running", request.change) };
      }),
    }),
  },
];
