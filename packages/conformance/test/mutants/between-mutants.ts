import { isTerminal } from "@tm/run-events-core";
import type { ReadResult, RunRecord, RunEventStore } from "@tm/run-events-core/store";
import { appendRequest, event } from "../../src/append-request.ts";
import { turns } from "../../src/turns.ts";
import { mapPages, mapRecords, type Mutant } from "./mutant.ts";

/** How long the two halves of a call are apart: for a look between them, and for a whole call. */
const TURNS = 4;
const CALL_TURNS = 20;

/** Stores that let another call in between two halves of one; and deletes and clocks that reach too far. */
export const betweenMutants: readonly Mutant[] = [
  {
    name: "deletes a run's head first and its events some time later",
    clause: "S17",
    data(data) {
      const left = new Map<string, ReadResult>();
      return {
        ...data,
        ...mapPages(data, (page, { runId, since }) => ({
          ...page,
          events: [...(left.get(runId)?.events.slice(since) ?? []), ...page.events],
        })),
        async deleteRun(runId, ownerId) {
          const all = { runId, ownerId, since: 0, limit: 1_000, maxBytes: Number.MAX_SAFE_INTEGER };
          const [page = null] = await data.read([all]);
          const outcome = await data.deleteRun(runId, ownerId);
          if (outcome !== "deleted" || page === null) return outcome;
          left.set(runId, page);
          await turns(CALL_TURNS);
          left.delete(runId);
          return outcome;
        },
      };
    },
  },
  {
    name: "deletes the run of an id some time after it checked whether it may",
    clause: "S17",
    data: (data) => ({
      ...data,
      async deleteRun(runId, ownerId) {
        const run = await data.getRun(runId);
        if (run === null || (ownerId !== null && ownerId !== run.ownerId)) return "not_found";
        if (!isTerminal(run.runStatus)) return "active";
        await turns(TURNS);
        await data.append([appendRequest(runId, [event("RUN_CANCELLED")])]);
        return data.deleteRun(runId, null);
      },
    }),
  },
  {
    name: "deletes the events of all runs whose ids begin with the id",
    clause: "S17",
    data(data) {
      const emptied = new Set<number>();
      const ordinals = new Map<string, number>();
      return {
        ...data,
        ...mapPages(data, (page) =>
          emptied.has(page.run.ordinal) ? { ...page, events: [] } : page,
        ),
        async createRun(request) {
          const created = await data.createRun(request);
          if (created.outcome === "created") ordinals.set(request.runId, created.run.ordinal);
          return created;
        },
        async deleteRun(runId, ownerId) {
          const outcome = await data.deleteRun(runId, ownerId);
          if (outcome !== "deleted") return outcome;
          for (const [other, ordinal] of ordinals) {
            if (other.startsWith(runId) && other !== runId) emptied.add(ordinal);
          }
          return outcome;
        },
      };
    },
  },
  {
    name: "lists runs and looks up the status of each some time later",
    clause: "S2",
    data: (data) => ({
      ...data,
      async listRuns(query) {
        const runs = await data.listRuns(query);
        await turns(TURNS);
        return Promise.all(
          runs.map(async (run) => {
            const { runStatus, finishedAtMs } = (await data.getRun(run.runId)) ?? run;
            return { ...run, runStatus, finishedAtMs };
          }),
        );
      },
    }),
  },
  {
    name: "gives runs that are created at once the same ordinal",
    clause: "W14",
    data(data) {
      const ordinals = new Map<number, number>();
      let last = 0;
      const change = (run: RunRecord): RunRecord => ({
        ...run,
        ordinal: ordinals.get(run.ordinal) ?? run.ordinal,
      });
      return {
        ...data,
        ...mapRecords(data, change),
        async createRun(request) {
          const next = last + 1;
          await turns(1);
          const created = await data.createRun(request);
          if (!("run" in created)) return created;
          if (created.outcome === "created") {
            ordinals.set(created.run.ordinal, next);
            last = next;
          }
          return { ...created, run: change(created.run) };
        },
      };
    },
  },
  {
    name: "keeps times in seconds",
    clause: "W2",
    data: (data) => mapTimes(data, (ms) => Math.floor(ms / 1_000)),
  },
  {
    name: "keeps times without their zone",
    clause: "W2",
    data: (data) => mapTimes(data, (ms) => ms + 7_200_000),
  },
];

/** A store whose times all pass through `change`. */
function mapTimes(data: RunEventStore, change: (ms: number) => number): RunEventStore {
  const heads = mapRecords(data, ({ createdAtMs, updatedAtMs, finishedAtMs, ...run }) => ({
    ...run,
    createdAtMs: change(createdAtMs),
    updatedAtMs: change(updatedAtMs),
    finishedAtMs: finishedAtMs === null ? null : change(finishedAtMs),
  }));
  const broken = { ...data, ...heads };
  return {
    ...broken,
    ...mapPages(broken, (page) => ({
      ...page,
      events: page.events.map((one) => ({ ...one, createdAtMs: change(one.createdAtMs) })),
    })),
  };
}
