import { isTerminal } from "@tm/run-events-core";
import { type RunEventStore, statusAfter } from "@tm/run-events-core/store";
import type { KitStore } from "../../src/kit-store.ts";
import type { Between } from "../../src/trial.ts";
import { turns } from "./turns.ts";
import {
  type AppendAnswer,
  appendAlone,
  appendEach,
  type Mutant,
  type Request,
  runOfRequest,
} from "./mutant.ts";

/** Stores that treat an append otherwise while another to the same run is under way. */
function whenRaced(
  raced: (data: KitStore, request: Request, racing: Request) => Promise<AppendAnswer>,
): Between {
  return () => {
    const underWay = new Map<string, Request>();
    return (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const racing = underWay.get(request.runId);
        if (racing !== undefined) return raced(data, request, racing);
        underWay.set(request.runId, request);
        try {
          await turns(3);
          return await appendAlone(data, request);
        } finally {
          underWay.delete(request.runId);
        }
      }),
    });
  };
}

/** Stores that are right as long as one caller is alone. */
export const raceMutants: readonly Mutant[] = [
  {
    name: "gives two racing appends the same sequences",
    clause: "S4",
    rules: whenRaced(async (data, request) => {
      const head = (await runOfRequest(data, request))?.lastSequence ?? 0;
      const outcome = await appendAlone(data, request);
      if (outcome.outcome !== "appended" || head === 0) return outcome;
      const { events } = request;
      return { ...outcome, firstSequence: head, lastSequence: head + events.length - 1 };
    }),
  },
  {
    name: "acknowledges a racing append that it drops",
    clause: "S4",
    rules: whenRaced(async (data, request) => {
      const run = await runOfRequest(data, request);
      if (run === null || isTerminal(run.runStatus)) return appendAlone(data, request);
      return {
        outcome: "appended",
        firstSequence: run.lastSequence + 1,
        lastSequence: run.lastSequence + request.events.length,
        runStatus: statusAfter(run.runStatus, request.change),
        phase: run.phase,
      };
    }),
  },
  {
    name: "lands an append that it refuses for a conflict",
    clause: "S4",
    rules: whenRaced(async (data, request) => {
      const outcome = await appendAlone(data, request);
      if (outcome.outcome === "sequence_conflict")
        await appendAlone(data, { ...request, expectedSequence: null, idempotencyKey: null });
      return outcome;
    }),
  },
  {
    name: "answers a race with a false conflict",
    clause: "S4",
    rules: whenRaced(async (data, request) => {
      const run = await runOfRequest(data, request);
      const { expectedSequence } = request;
      if (run === null || expectedSequence !== run.lastSequence) return appendAlone(data, request);
      return { outcome: "sequence_conflict", lastSequence: run.lastSequence };
    }),
  },
  {
    name: "answers finished before the end is in the log",
    clause: "S4",
    rules: whenRaced(async (data, request, racing) => {
      const { change: runStatus } = racing;
      const run = await runOfRequest(data, request);
      if (run === null || !isTerminal(runStatus)) return appendAlone(data, request);
      return { outcome: "finished", runStatus, lastSequence: run.lastSequence };
    }),
  },
  {
    name: "forgets a key at the next append of its run",
    clause: "S4",
    rules() {
      const last = new Map<string, string | null>();
      return (data) => ({
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
      });
    },
  },
  {
    name: "names in the conflicts of a call the head from before the call while another is under way",
    clause: "S4",
    rules() {
      let underWay = 0;
      return (data) => {
        async function namingHeadsBefore(
          requests: readonly Request[],
        ): Promise<readonly AppendAnswer[]> {
          const heads = new Map<string, number>();
          for (const { runId } of requests)
            heads.set(runId, (await data.getRun(runId))?.lastSequence ?? 0);
          const outcomes = await data.append(requests);
          return outcomes.map((outcome, index) => {
            const { runId = "", expectedSequence = null } = requests[index] ?? {};
            const lastSequence = heads.get(runId) ?? 0;
            return outcome.outcome === "sequence_conflict" && lastSequence !== expectedSequence
              ? { ...outcome, lastSequence }
              : outcome;
          });
        }

        return {
          ...data,
          async append(requests) {
            underWay += 1;
            const isRaced = underWay > 1;
            try {
              await turns(isRaced ? 1 : 3);
              return await (isRaced ? namingHeadsBefore(requests) : data.append(requests));
            } finally {
              underWay -= 1;
            }
          },
        };
      };
    },
  },
  {
    name: "takes the plain appends of a call in reverse while another call is under way",
    clause: "S4",
    data(data) {
      let underWay = 0;
      return {
        ...data,
        async append(plains) {
          underWay += 1;
          const isRaced = underWay > 1;
          await turns(1);
          const landings = await data.append(isRaced ? plains.toReversed() : plains);
          underWay -= 1;
          return isRaced ? landings.toReversed() : landings;
        },
      };
    },
  },
  {
    name: "shows a head and its events as they were when another object has written",
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
        append(plains) {
          pages.clear();
          return object.append(plains);
        },
        change(changes) {
          pages.clear();
          return object.change(changes);
        },
      };
    },
  },
];
