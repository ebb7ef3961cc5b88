import type { RunStatus } from "@tm/run-events-core";
import {
  type AppendRequest,
  changeOf,
  type RunEventStore,
  statusAfter,
} from "@tm/run-events-core/store";
import {
  type AppendAnswer,
  appendAlone,
  appendEach,
  mapPages,
  mapRecords,
  type Mutant,
} from "./mutant.ts";

/** The landing that the head promises, without anything written. */
async function pretend(data: RunEventStore, request: AppendRequest): Promise<AppendAnswer> {
  const run = await data.getRun(request.runId);
  if (run === null) return { outcome: "not_found" };
  const { lastSequence, phase } = run;
  return {
    outcome: "appended",
    firstSequence: lastSequence + 1,
    lastSequence: lastSequence + request.events.length,
    runStatus: statusAfter(run.runStatus, request.change),
    phase,
  };
}

/** Stores whose appends are not whole, not in order, or get lost. */
export const appendMutants: readonly Mutant[] = [
  {
    name: "leaves a gap after a refused append",
    clause: "S1",
    data: (data) => ({
      ...data,
      ...mapPages(data, (page) => ({
        ...page,
        events: page.events.filter((event) => event.eventType !== "GAP"),
      })),
      ...appendEach(async (request) => {
        const outcome = await appendAlone(data, request);
        if (outcome.outcome !== "appended" && outcome.outcome !== "replayed") {
          const gap = { eventType: "GAP", payload: "null", phase: null };
          await data.append([
            {
              ...request,
              ownerId: null,
              events: [gap],
              change: "started",
              idempotencyKey: null,
              expectedSequence: null,
            },
          ]);
        }
        return outcome;
      }),
    }),
  },
  {
    name: "loses an append that races another",
    clause: "S1",
    data(data) {
      const busy = new Set<string>();
      return {
        ...data,
        ...appendEach(async (request) => {
          const { runId } = request;
          if (busy.has(runId)) return pretend(data, request);
          busy.add(runId);
          await Promise.resolve();
          const outcome = await appendAlone(data, request);
          busy.delete(runId);
          return outcome;
        }),
      };
    },
  },
  {
    name: "refuses an append that races another, even if it expects no sequence",
    clause: "S4",
    data(data) {
      const busy = new Set<string>();
      return {
        ...data,
        ...appendEach(async (request) => {
          const { runId } = request;
          if (busy.has(runId)) return { outcome: "sequence_conflict", lastSequence: 0 };
          busy.add(runId);
          await Promise.resolve();
          const outcome = await appendAlone(data, request);
          busy.delete(runId);
          return outcome;
        }),
      };
    },
  },
  {
    name: "checks the expected sequence some time before it appends",
    clause: "S4",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const run = await data.getRun(request.runId);
        const { expectedSequence } = request;
        if (run !== null && expectedSequence !== null && expectedSequence !== run.lastSequence) {
          return { outcome: "sequence_conflict", lastSequence: run.lastSequence };
        }
        return appendAlone(data, { ...request, expectedSequence: null });
      }),
    }),
  },
  {
    name: "writes a batch event by event",
    clause: "S2",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        let whole: AppendAnswer | null = null;
        for (const event of request.events) {
          const part = { ...request, events: [event], change: changeOf([event]) };
          const outcome = await appendAlone(data, part);
          if (outcome.outcome !== "appended") return outcome;
          const firstSequence: number =
            whole?.outcome === "appended" ? whole.firstSequence : outcome.firstSequence;
          whole = { ...outcome, firstSequence };
        }
        return whole ?? { outcome: "not_found" };
      }),
    }),
  },
  {
    name: "refuses every request after a refused one of the same call",
    clause: "S2",
    data: (data) => ({
      ...data,
      async append(requests) {
        let refusal: AppendAnswer | null = null;
        const outcomes: AppendAnswer[] = [];
        for (const request of requests) {
          const outcome: AppendAnswer = refusal ?? (await appendAlone(data, request));
          if (outcome.outcome !== "appended" && outcome.outcome !== "replayed") refusal = outcome;
          outcomes.push(outcome);
        }
        return outcomes;
      },
    }),
  },
  {
    name: "takes the requests of a call in reverse",
    clause: "S2",
    data: (data) => ({
      ...data,
      append: async (requests) => (await data.append(requests.toReversed())).toReversed(),
    }),
  },
  {
    name: "shows the status before the event",
    clause: "S9",
    data(data) {
      const ahead = new Map<string, RunStatus>();
      return {
        ...data,
        ...mapRecords(data, (run) => ({
          ...run,
          runStatus: ahead.get(run.runId) ?? run.runStatus,
        })),
        ...appendEach(async (request) => {
          const before = (await data.getRun(request.runId))?.runStatus ?? "queued";
          ahead.set(request.runId, statusAfter(before, request.change));
          await Promise.resolve();
          const outcome = await appendAlone(data, request);
          ahead.delete(request.runId);
          return outcome;
        }),
      };
    },
  },
  {
    name: "forgets the phase at an event that starts none",
    clause: "S2",
    data(data) {
      const phases = new Map<string, string | null>();
      return {
        ...data,
        ...mapRecords(data, (run) => ({ ...run, phase: phases.get(run.runId) ?? null })),
        ...appendEach(async (request) => {
          const outcome = await appendAlone(data, request);
          if (outcome.outcome === "appended") {
            phases.set(request.runId, request.events.at(-1)?.phase ?? null);
          }
          return outcome;
        }),
      };
    },
  },
  {
    name: "leaves updatedAtMs as it was",
    clause: "S2",
    data: (data) => ({
      ...data,
      ...mapRecords(data, (run) => ({ ...run, updatedAtMs: run.createdAtMs - 1 })),
    }),
  },
];
