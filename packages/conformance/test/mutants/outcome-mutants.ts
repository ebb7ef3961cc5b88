import { isTerminal, type RunStatus } from "@tm/run-events-core";
import {
  type AppendAnswer,
  appendAlone,
  appendEach,
  mapRecords,
  type Mutant,
  runOfRequest,
} from "./mutant.ts";

/** Stores that judge an append wrongly. */
export const outcomeMutants: readonly Mutant[] = [
  {
    name: "checks finished before the key",
    clause: "S5",
    rules: () => (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const run = await runOfRequest(data, request);
        if (run !== null && isTerminal(run.runStatus)) {
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
    rules: () => (data) => ({
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
    rules() {
      const burnt = new Set<string>();
      return (data) => ({
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
      });
    },
  },
  {
    name: "replays a key for any events",
    clause: "S5",
    rules() {
      const receipts = new Map<string, AppendAnswer>();
      return (data) => ({
        ...data,
        ...appendEach(async (request) => {
          const outcome = await appendAlone(data, request);
          const id = `${request.runId}/${request.idempotencyKey}`;
          if (outcome.outcome === "appended") receipts.set(id, { ...outcome, outcome: "replayed" });
          return outcome.outcome === "idempotency_key_reused"
            ? (receipts.get(id) ?? outcome)
            : outcome;
        }),
      });
    },
  },
  {
    name: "takes an event after the terminal one",
    clause: "S5",
    rules() {
      const ended = new Map<string, RunStatus>();
      return (data) => ({
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
      });
    },
  },
];
