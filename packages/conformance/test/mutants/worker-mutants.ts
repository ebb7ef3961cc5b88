import { isTerminal } from "@tm/run-events-core";
import type { RunRecord } from "@tm/run-events-core/store";
import type { KitStore } from "../../src/kit-store.ts";
import { mapRecords, type Mutant } from "./mutant.ts";

/** A store that shows another name of a run's worker. It knows what each claim was given. */
function mapWorker(
  data: KitStore,
  nameOf: (run: RunRecord, given: string | null) => string | null,
): KitStore {
  const given = new Map<string, string | null>();
  const change = (run: RunRecord): RunRecord => ({
    ...run,
    worker: nameOf(run, given.get(run.runId) ?? null),
  });
  return {
    ...data,
    ...mapRecords(data, change),
    async claim(request) {
      const outcome = await data.claim(request);
      if (outcome.outcome !== "granted") return outcome;
      given.set(request.runId, request.worker ?? null);
      return { ...outcome, run: change(outcome.run) };
    },
    async release(request) {
      const outcome = await data.release(request);
      return outcome.outcome === "granted" ? { ...outcome, run: change(outcome.run) } : outcome;
    },
  };
}

/** Stores that show a wrong name of the worker that has a run. */
export const workerMutants: readonly Mutant[] = [
  {
    name: "forgets the name of a worker",
    clause: "S21",
    rules: () => (data) => mapWorker(data, () => null),
  },
  {
    name: "shows the name of a worker until its lease expires",
    clause: "S21",
    rules: () => (data) =>
      mapWorker(data, ({ worker, leaseExpiresAtMs }) =>
        (leaseExpiresAtMs ?? 0) > Date.now() ? worker : null,
      ),
  },
  {
    name: "shows the name of a worker that has given its run back",
    clause: "S21",
    rules: () => (data) =>
      mapWorker(data, ({ worker, runStatus }, given) =>
        isTerminal(runStatus) ? worker : (worker ?? given),
      ),
  },
  {
    name: "shows the name of a worker that has ended its run",
    clause: "S21",
    rules: () => (data) =>
      mapWorker(data, ({ worker, runStatus }, given) => (isTerminal(runStatus) ? given : worker)),
  },
  {
    name: "takes the name of a claim that is sent again",
    clause: "S21",
    rules: () => (data) =>
      mapWorker(data, ({ leaseExpiresAtMs }, given) => (leaseExpiresAtMs === null ? null : given)),
  },
  {
    name: "keeps the name of the worker before if a claim gives none",
    clause: "S21",
    rules() {
      const names = new Map<string, string>();
      return (data) => ({
        ...data,
        async claim(request) {
          const { runId, worker = null } = request;
          if (worker !== null) names.set(runId, worker);
          return data.claim({ ...request, worker: worker ?? names.get(runId) ?? null });
        },
      });
    },
  },
  {
    name: "cuts the spaces around the name of a worker",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      claim: (request) => data.claim({ ...request, worker: request.worker?.trim() ?? null }),
    }),
  },
  {
    name: "counts the characters of a worker's name in UTF-16 units",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      claim: (request) => data.claim({ ...request, worker: request.worker?.slice(0, 100) ?? null }),
    }),
  },
];
