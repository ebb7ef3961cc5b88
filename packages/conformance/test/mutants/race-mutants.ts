import { isTerminal, type RunEventStore } from "@tm/run-events-core";
import { type AppendAnswer, appendAlone, appendEach, type Mutant } from "./mutant.ts";

type Request = Parameters<RunEventStore["append"]>[0][number];

/** A store that treats an append otherwise while another to the same run is under way. */
function whenRaced(
  data: RunEventStore,
  raced: (request: Request, racing: Request) => Promise<AppendAnswer>,
): RunEventStore {
  const underWay = new Map<string, Request>();
  return {
    ...data,
    ...appendEach(async (request) => {
      const racing = underWay.get(request.runId);
      if (racing !== undefined) return raced(request, racing);
      underWay.set(request.runId, request);
      try {
        for (let turn = 0; turn < 3; turn++) await Promise.resolve();
        return await appendAlone(data, request);
      } finally {
        underWay.delete(request.runId);
      }
    }),
  };
}

/** Stores that are right as long as nobody else is there. */
export const raceMutants: readonly Mutant[] = [
  {
    name: "gives two racing appends the same sequences",
    clause: "S4",
    data(data) {
      return whenRaced(data, async (request) => {
        const head = (await data.getRun(request.runId))?.lastSequence ?? 0;
        const outcome = await appendAlone(data, request);
        if (outcome.outcome !== "appended" || head === 0) return outcome;
        const { events } = request;
        return { ...outcome, firstSequence: head, lastSequence: head + events.length - 1 };
      });
    },
  },
  {
    name: "acknowledges a racing append that it drops",
    clause: "S4",
    data: (data) =>
      whenRaced(data, async (request) => {
        const run = await data.getRun(request.runId);
        if (run === null || isTerminal(run.runStatus)) return appendAlone(data, request);
        return {
          outcome: "appended",
          firstSequence: run.lastSequence + 1,
          lastSequence: run.lastSequence + request.events.length,
          runStatus: request.runStatus,
          phase: run.phase,
        };
      }),
  },
  {
    name: "lands an append that it refuses for a conflict",
    clause: "S4",
    data: (data) =>
      whenRaced(data, async (request) => {
        const outcome = await appendAlone(data, request);
        if (outcome.outcome === "sequence_conflict")
          await appendAlone(data, { ...request, expectedSequence: null, idempotencyKey: null });
        return outcome;
      }),
  },
  {
    name: "answers a race with a conflict that is none",
    clause: "S4",
    data: (data) =>
      whenRaced(data, async (request) => {
        const run = await data.getRun(request.runId);
        const { expectedSequence } = request;
        if (run === null || expectedSequence !== run.lastSequence)
          return appendAlone(data, request);
        return { outcome: "sequence_conflict", lastSequence: run.lastSequence };
      }),
  },
  {
    name: "answers finished before the end is in the log",
    clause: "S4",
    data: (data) =>
      whenRaced(data, async (request, racing) => {
        const { runStatus } = racing;
        const run = await data.getRun(request.runId);
        if (run === null || !isTerminal(runStatus)) return appendAlone(data, request);
        return { outcome: "finished", runStatus, lastSequence: run.lastSequence };
      }),
  },
  {
    name: "takes the requests of a call from behind while another call is under way",
    clause: "S4",
    data(data) {
      let underWay = 0;
      return {
        ...data,
        async append(requests) {
          underWay += 1;
          const isRaced = underWay > 1;
          await Promise.resolve();
          const outcomes = await data.append(isRaced ? requests.toReversed() : requests);
          underWay -= 1;
          return isRaced ? outcomes.toReversed() : outcomes;
        },
      };
    },
  },
  {
    name: "forgets a key at the next append of its run",
    clause: "S4",
    data(data) {
      const last = new Map<string, string | null>();
      return {
        ...data,
        ...appendEach(async (request) => {
          const { runId, idempotencyKey } = request;
          const isForgotten = last.has(runId) && last.get(runId) !== idempotencyKey;
          const outcome = await appendAlone(
            data,
            isForgotten ? { ...request, idempotencyKey: null } : request,
          );
          if (outcome.outcome === "appended") last.set(runId, idempotencyKey);
          return outcome;
        }),
      };
    },
  },
  {
    name: "shows a head and its events as they were when another object has appended",
    clause: "S4",
    object(object) {
      const pages = new Map<string, ReturnType<RunEventStore["read"]>>();
      return {
        ...object,
        read(queries) {
          const id = JSON.stringify(queries);
          const kept = pages.get(id) ?? object.read(queries);
          pages.set(id, kept);
          return kept;
        },
        append(requests) {
          pages.clear();
          return object.append(requests);
        },
      };
    },
  },
];
