import { isTerminal } from "@tm/run-events-core";
import type { ReadResult, RunRecord } from "@tm/run-events-core/store";
import { type AppendAnswer, appendAlone, appendEach, type Mutant } from "./mutant.ts";

/** Stores on common data whose objects go by what they know, when another object has changed it. */
export const objectMutants: readonly Mutant[] = [
  {
    name: "answers existing with a head from the object's own cache",
    clause: "S16",
    object(object) {
      const heads = new Map<string, RunRecord>();
      return {
        ...object,
        async createRun(request) {
          const created = await object.createRun(request);
          if (!("run" in created)) return created;
          const run = heads.get(request.runId) ?? created.run;
          heads.set(request.runId, { ...run });
          return { ...created, run };
        },
        append(requests) {
          for (const { runId } of requests) heads.delete(runId);
          return object.append(requests);
        },
        deleteRun(runId, ownerId) {
          heads.delete(runId);
          return object.deleteRun(runId, ownerId);
        },
      };
    },
  },
  {
    name: "remembers that a run does not exist until the same object creates it",
    clause: "S16",
    object(object) {
      const absent = new Set<string>();
      return {
        ...object,
        createRun(request) {
          absent.delete(request.runId);
          return object.createRun(request);
        },
        async getRun(runId) {
          if (absent.has(runId)) return null;
          const run = await object.getRun(runId);
          if (run === null) absent.add(runId);
          return run;
        },
      };
    },
  },
  {
    name: "remembers that an owner has no runs until the same object creates one",
    clause: "S16",
    object(object) {
      const without = new Set<string>();
      return {
        ...object,
        createRun(request) {
          without.delete(request.ownerId);
          return object.createRun(request);
        },
        async listRuns(query) {
          if (without.has(query.ownerId)) return [];
          const runs = await object.listRuns(query);
          if (runs.length === 0 && query.before === null && query.runStatus === null) {
            without.add(query.ownerId);
          }
          return runs;
        },
      };
    },
  },
  {
    name: "appends by an inner id that it keeps when another object has deleted the run",
    clause: "S17",
    object(object) {
      const ordinals = new Map<string, number>();
      return {
        ...object,
        ...appendEach(async (request) => {
          const ordinal = (await object.getRun(request.runId))?.ordinal;
          const kept = ordinals.get(request.runId) ?? ordinal;
          if (kept !== undefined) ordinals.set(request.runId, kept);
          return kept === ordinal ? appendAlone(object, request) : { outcome: "not_found" };
        }),
        async deleteRun(runId, ownerId) {
          const outcome = await object.deleteRun(runId, ownerId);
          if (outcome === "deleted") ordinals.delete(runId);
          return outcome;
        },
      };
    },
  },
  {
    name: "keeps the receipts of a run that another object has deleted",
    clause: "S17",
    object(object) {
      const receipts = new Map<string, AppendAnswer>();
      return {
        ...object,
        ...appendEach(async (request) => {
          const { runId, ownerId, idempotencyKey, events } = request;
          const id = JSON.stringify([runId, ownerId, idempotencyKey, events]);
          const kept = receipts.get(id);
          if (kept !== undefined) return kept;
          const answer = await appendAlone(object, request);
          if (idempotencyKey !== null && answer.outcome === "appended") {
            receipts.set(id, { ...answer, outcome: "replayed" });
          }
          return answer;
        }),
        deleteRun(runId, ownerId) {
          receipts.clear();
          return object.deleteRun(runId, ownerId);
        },
      };
    },
  },
  {
    name: "keeps the pages of a finished run that another object has deleted",
    clause: "S17",
    object(object) {
      const pages = new Map<string, ReadResult>();
      return {
        ...object,
        read: (queries) =>
          Promise.all(
            queries.map(async (query) => {
              const id = JSON.stringify(query);
              const kept = pages.get(id);
              if (kept !== undefined) return structuredClone(kept);
              const [page = null] = await object.read([query]);
              if (page !== null && isTerminal(page.run.runStatus)) {
                pages.set(id, structuredClone(page));
              }
              return page;
            }),
          ),
        deleteRun(runId, ownerId) {
          pages.clear();
          return object.deleteRun(runId, ownerId);
        },
      };
    },
  },
  {
    name: "ends the subscriptions of all objects at the close of one",
    clause: "S18",
    ...endsAllSubscriptions(),
  },
  {
    name: "never settles `ready` of a subscription that was not ready at close",
    clause: "S18",
    object(object) {
      let closed = false;
      return {
        ...object,
        subscribe(runId, onNotification) {
          const subscription = object.subscribe(runId, onNotification);
          if (closed) return subscription;
          const ready = subscription.ready
            .then(() => Promise.resolve())
            .then(() => {
              if (closed) return new Promise<void>(() => {});
              return undefined;
            });
          return { ready, stop: () => subscription.stop() };
        },
        close() {
          closed = true;
          return object.close();
        },
      };
    },
  },
];

function endsAllSubscriptions(): Pick<Mutant, "data" | "object"> {
  const ends = new WeakMap<object, () => void>();
  return {
    data(data) {
      const stops = new Set<() => void>();
      const broken = {
        ...data,
        subscribe(...asked: Parameters<typeof data.subscribe>): ReturnType<typeof data.subscribe> {
          const subscription = data.subscribe(...asked);
          stops.add(() => subscription.stop());
          return subscription;
        },
      };
      ends.set(broken, () => stops.forEach((stop) => stop()));
      return broken;
    },
    object: (object, data) => ({
      ...object,
      async close() {
        await object.close();
        ends.get(data)?.();
      },
    }),
  };
}
