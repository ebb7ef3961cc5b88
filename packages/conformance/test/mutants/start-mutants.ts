import type { CreateOutcome, NewRunRequest } from "@tm/run-events-core/store";
import type { KitStore } from "../../src/kit-store.ts";
import { type Mutant, runOfRequest } from "./mutant.ts";

/** A store whose creations with a claim pass through `change`. */
function mapStart(
  data: KitStore,
  change: (
    request: NewRunRequest,
    claim: NonNullable<NewRunRequest["claim"]>,
  ) => Promise<CreateOutcome>,
): KitStore {
  return {
    ...data,
    createRun: (request) =>
      request.claim == null ? data.createRun(request) : change(request, request.claim),
  };
}

/** Stores that claim a run badly when they create it. */
export const startMutants: readonly Mutant[] = [
  {
    name: "creates a run and forgets to claim it",
    clause: "S21",
    rules: () => (data) => mapStart(data, (request) => data.createRun({ ...request, claim: null })),
  },
  {
    name: "answers a creation with a lease that no other call knows of",
    clause: "S21",
    rules: () => (data) =>
      mapStart(data, async (request, { leaseMs, worker = null }) => {
        const created = await data.createRun({ ...request, claim: null });
        if (!("run" in created)) return created;
        const leaseExpiresAtMs = created.run.createdAtMs + leaseMs;
        return { ...created, run: { ...created.run, fence: 1_000, leaseExpiresAtMs, worker } };
      }),
  },
  {
    name: "claims a new run only some turns after it was created",
    clause: "S21",
    rules: () => (data) =>
      mapStart(data, async (request, claim) => {
        const created = await data.createRun({ ...request, claim: null });
        if (!("run" in created)) return created;
        await Promise.resolve();
        const claimed = await data.claim({ ...request, ...claim });
        if (claimed.outcome === "granted") return { ...created, run: claimed.run };
        return claimed.outcome === "claimed" || claimed.outcome === "finished" ? claimed : created;
      }),
  },
  {
    name: "claims no run that existed before its creation with a claim",
    clause: "S21",
    rules: () => (data) =>
      mapStart(data, async (request) =>
        (await runOfRequest(data, request)) === null
          ? data.createRun(request)
          : data.createRun({ ...request, claim: null }),
      ),
  },
  {
    name: "takes the run from its worker at a creation",
    clause: "S21",
    rules: () => (data) =>
      mapStart(data, async (request) => {
        const run = await runOfRequest(data, request);
        const { runId, ownerId } = request;
        if (run !== null) await data.release({ runId, ownerId, fence: run.fence });
        return data.createRun(request);
      }),
  },
  {
    name: "does not know a creation that is sent again",
    clause: "S21",
    rules: () => (data) =>
      mapStart(data, (request, { leaseMs, worker = null }) =>
        data.createRun({ ...request, claim: { leaseMs, worker } }),
      ),
  },
  {
    name: "takes every creation for one that is sent again",
    clause: "S21",
    rules: () => (data) =>
      mapStart(data, (request, claim) =>
        data.createRun({ ...request, claim: { ...claim, claimKey: "one" } }),
      ),
  },
  {
    name: "answers created to a creation that claims an existing run",
    clause: "S21",
    rules: () => (data) =>
      mapStart(data, async (request) => {
        const created = await data.createRun(request);
        return created.outcome === "existing" ? { ...created, outcome: "created" } : created;
      }),
  },
  {
    name: "answers a finished run to a creation that wants to claim it",
    clause: "S21",
    rules: () => (data) =>
      mapStart(data, async (request) => {
        const created = await data.createRun(request);
        return created.outcome === "finished"
          ? data.createRun({ ...request, claim: null })
          : created;
      }),
  },
  {
    name: "forgets the worker's name at a creation",
    clause: "S21",
    rules: () => (data) =>
      mapStart(data, (request, claim) =>
        data.createRun({ ...request, claim: { ...claim, worker: null } }),
      ),
  },
  {
    name: "lets the first lease of a run last for an hour",
    clause: "S21",
    rules: () => (data) =>
      mapStart(data, (request, claim) =>
        data.createRun({ ...request, claim: { ...claim, leaseMs: 3_600_000 } }),
      ),
  },
];
