import { isTerminal, type RunStatus } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { type AppendAnswer, appendAlone, appendEach, mapRecords, type Mutant } from "./mutant.ts";

const keyIgnored = (data: RunEventStore): RunEventStore => ({
  ...data,
  append: (requests) =>
    data.append(requests.map((request) => ({ ...request, idempotencyKey: null }))),
});

/** Stores that judge an append wrongly. */
export const outcomeMutants: readonly Mutant[] = [
  { name: "appends again when a key comes again", clause: "S5", data: keyIgnored },
  { name: "appends again when its answer was lost", clause: "S7", data: keyIgnored },
  {
    name: "checks finished before the key",
    clause: "S5",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const run = await data.getRun(request.runId);
        const own = request.ownerId === null || request.ownerId === run?.ownerId;
        if (run !== null && own && isTerminal(run.runStatus)) {
          const { runStatus, lastSequence } = run;
          return { outcome: "finished", runStatus, lastSequence };
        }
        return appendAlone(data, request);
      }),
    }),
  },
  {
    name: "checks the expected sequence before finished",
    clause: "S5",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const outcome = await appendAlone(data, request);
        if (outcome.outcome !== "finished" || request.expectedSequence === null) return outcome;
        const { lastSequence } = outcome;
        if (request.expectedSequence === lastSequence) return outcome;
        return { outcome: "sequence_conflict", lastSequence };
      }),
    }),
  },
  {
    name: "uses up the key of a refused append",
    clause: "S5",
    data(data) {
      const burnt = new Set<string>();
      return {
        ...data,
        ...appendEach(async (request) => {
          const { runId, idempotencyKey } = request;
          const id = `${runId}/${idempotencyKey}`;
          if (burnt.has(id)) return { outcome: "idempotency_key_reused" };
          const outcome = await appendAlone(data, request);
          const landed = outcome.outcome === "appended" || outcome.outcome === "replayed";
          if (idempotencyKey !== null && !landed) burnt.add(id);
          return outcome;
        }),
      };
    },
  },
  {
    name: "takes a key for one of the whole store",
    clause: "S5",
    data(data) {
      const firstRun = new Map<string, string>();
      return {
        ...data,
        ...appendEach(async (request) => {
          const { runId, idempotencyKey } = request;
          if (idempotencyKey === null) return appendAlone(data, request);
          const first = firstRun.get(idempotencyKey) ?? runId;
          if (first !== runId) return { outcome: "idempotency_key_reused" };
          firstRun.set(idempotencyKey, runId);
          return appendAlone(data, request);
        }),
      };
    },
  },
  {
    name: "replays a key for any events",
    clause: "S5",
    data(data) {
      const receipts = new Map<string, AppendAnswer>();
      return {
        ...data,
        ...appendEach(async (request) => {
          const outcome = await appendAlone(data, request);
          const id = `${request.runId}/${request.idempotencyKey}`;
          if (outcome.outcome === "appended") receipts.set(id, { ...outcome, outcome: "replayed" });
          return outcome.outcome === "idempotency_key_reused"
            ? (receipts.get(id) ?? outcome)
            : outcome;
        }),
      };
    },
  },
  {
    name: "answers a replay with the current phase",
    clause: "S5",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const outcome = await appendAlone(data, request);
        if (outcome.outcome !== "replayed") return outcome;
        const run = await data.getRun(request.runId);
        return { ...outcome, phase: run?.phase ?? null };
      }),
    }),
  },
  {
    name: "takes an event after the terminal one",
    clause: "S5",
    data(data) {
      const ended = new Map<string, RunStatus>();
      return {
        ...data,
        ...mapRecords(data, (run) => {
          const runStatus = ended.get(run.runId);
          if (runStatus === undefined) return run;
          return { ...run, runStatus, finishedAtMs: run.updatedAtMs };
        }),
        ...appendEach(async (request) => {
          const { change } = request;
          if (!isTerminal(change)) return appendAlone(data, request);
          ended.set(request.runId, change);
          const outcome = await appendAlone(data, { ...request, change: "started" });
          return outcome.outcome === "appended" ? { ...outcome, runStatus: change } : outcome;
        }),
      };
    },
  },
  {
    name: "ignores the owner of an append",
    clause: "S5",
    data: (data) => ({
      ...data,
      append: (requests) => data.append(requests.map((request) => ({ ...request, ownerId: null }))),
    }),
  },
];
