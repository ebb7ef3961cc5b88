import { append, event } from "../../src/append-request.ts";
import { BY_OWNER } from "../../src/lease.ts";
import type { Mutant } from "./mutant.ts";

/** Stores whose rules of creations and deletions are wrong. */
export const lifeMutants: readonly Mutant[] = [
  {
    name: "answers created to every creation",
    clause: "S16",
    rules: () => (data) => ({
      ...data,
      async createRun(request) {
        const created = await data.createRun(request);
        return "run" in created ? { ...created, outcome: "created" } : created;
      },
    }),
  },
  {
    name: "deletes a live run",
    clause: "S17",
    rules: () => (data) => ({
      ...data,
      async deleteRun(runId, ownerId) {
        const outcome = await data.deleteRun(runId, ownerId);
        if (outcome !== "active") return outcome;
        await append(data, runId, [event("RUN_CANCELLED")], BY_OWNER);
        return data.deleteRun(runId, ownerId);
      },
    }),
  },
  {
    name: "answers deleted to every delete that races",
    clause: "S17",
    rules: () => (data) => ({
      ...data,
      async deleteRun(runId, ownerId) {
        const run = await data.getRun(runId, ownerId);
        const outcome = await data.deleteRun(runId, ownerId);
        return outcome === "not_found" && run !== null ? "deleted" : outcome;
      },
    }),
  },
];
