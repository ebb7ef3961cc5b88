import { type RunEventStore, type RunRecord, statusAfter } from "@tm/run-events-core/store";
import {
  type AppendAnswer,
  appendAlone,
  appendEach,
  mapPages,
  mapRecords,
  type Mutant,
} from "./mutant.ts";

/** Stores that create, delete, close and keep wrongly. */
export const lifeMutants: readonly Mutant[] = [
  {
    name: "answers created to every creation",
    clause: "S16",
    data: (data) => ({
      ...data,
      async createRun(request) {
        const created = await data.createRun(request);
        return "run" in created ? { ...created, outcome: "created" } : created;
      },
    }),
  },
  {
    name: "gives a run to a second owner",
    clause: "S16",
    data: (data) => ({
      ...data,
      async createRun(request) {
        const created = await data.createRun(request);
        const run = created.outcome === "taken" ? await data.getRun(request.runId) : null;
        return run === null ? created : { outcome: "existing", run };
      },
    }),
  },
  {
    name: "checks whether a run exists some time before it creates it",
    clause: "S16",
    data: (data) => ({
      ...data,
      async createRun(request) {
        const before = await data.getRun(request.runId);
        const created = await data.createRun(request);
        if (before !== null || !("run" in created)) return created;
        return { ...created, outcome: "created" };
      },
    }),
  },
  {
    name: "deletes a live run",
    clause: "S17",
    data: (data) => ({
      ...data,
      async deleteRun(runId, ownerId) {
        const outcome = await data.deleteRun(runId, ownerId);
        if (outcome !== "active") return outcome;
        const end = { eventType: "RUN_CANCELLED", payload: "null", phase: null };
        await data.append([
          {
            runId,
            ownerId: null,
            events: [end],
            change: "cancelled",
            idempotencyKey: null,
            expectedSequence: null,
            appender: { by: "anybody" },
          },
        ]);
        return data.deleteRun(runId, ownerId);
      },
    }),
  },
  {
    name: "ignores the owner of a delete",
    clause: "W4",
    data: (data) => ({ ...data, deleteRun: (runId) => data.deleteRun(runId, null) }),
  },
  {
    name: "leaves the events of a deleted run",
    clause: "S17",
    data(data) {
      const left = new Map<string, Awaited<ReturnType<RunEventStore["read"]>>[number]>();
      return {
        ...data,
        ...mapPages(data, (page, { runId, since }) => ({
          ...page,
          events: [...(left.get(runId)?.events.slice(since) ?? []), ...page.events],
        })),
        async deleteRun(runId, ownerId) {
          const all = { runId, ownerId, since: 0, limit: 1_000, maxBytes: 1_000_000 };
          const [page = null] = await data.read([all]);
          const outcome = await data.deleteRun(runId, ownerId);
          if (outcome === "deleted") left.set(runId, page);
          return outcome;
        },
      };
    },
  },
  {
    name: "leaves the keys of a deleted run",
    clause: "S17",
    data(data) {
      const receipts = new Map<string, AppendAnswer>();
      return {
        ...data,
        ...appendEach(async (request) => {
          const outcome = await appendAlone(data, request);
          if (request.idempotencyKey === null || outcome.outcome !== "appended") return outcome;
          const id = `${request.runId}/${request.idempotencyKey}`;
          const kept = receipts.get(id);
          receipts.set(id, { ...outcome, outcome: "replayed" });
          return kept ?? outcome;
        }),
      };
    },
  },
  {
    name: "uses the ordinal of a deleted run again",
    clause: "S17",
    data(data) {
      const ordinals = new Map<number, number>();
      const live = new Map<string, number>();
      const change = (run: RunRecord): RunRecord => {
        const ordinal = ordinals.get(run.ordinal) ?? Math.max(0, ...live.values()) + 1;
        ordinals.set(run.ordinal, ordinal);
        live.set(run.runId, ordinal);
        return { ...run, ordinal };
      };
      return {
        ...data,
        ...mapRecords(data, change),
        async deleteRun(runId, ownerId) {
          const outcome = await data.deleteRun(runId, ownerId);
          if (outcome === "deleted") live.delete(runId);
          return outcome;
        },
      };
    },
  },
  {
    name: "answers deleted to every delete that races",
    clause: "S17",
    data: (data) => ({
      ...data,
      async deleteRun(runId, ownerId) {
        const run = await data.getRun(runId);
        const outcome = await data.deleteRun(runId, ownerId);
        return outcome === "not_found" && run?.ownerId === ownerId ? "deleted" : outcome;
      },
    }),
  },
  {
    name: "answers after close",
    clause: "S18",
    object: (object, data) => ({
      ...data,
      capabilities: object.capabilities,
      close: () => object.close(),
    }),
  },
  {
    name: "keeps its subscriptions at close",
    clause: "S18",
    object: (object, data) => ({
      ...object,
      subscribe: (runId, onNotification) => data.subscribe(runId, onNotification),
    }),
  },
  {
    name: "fails when it is closed again",
    clause: "S18",
    object(object) {
      let closed = false;
      return {
        ...object,
        async close() {
          if (closed) throw new Error("The database connection is not open");
          closed = true;
          await object.close();
        },
      };
    },
  },
  {
    name: "acknowledges an append at close and drops it",
    clause: "S18",
    object(object, data) {
      let closing = false;
      return {
        ...object,
        async append(requests) {
          for (let turn = 0; turn < 5; turn++) await Promise.resolve();
          if (!closing) return object.append(requests);
          const head = await data.getRun(requests[0]?.runId ?? "");
          return requests.map((request) => ({
            outcome: "appended",
            firstSequence: (head?.lastSequence ?? 0) + 1,
            lastSequence: (head?.lastSequence ?? 0) + request.events.length,
            runStatus: statusAfter(head?.runStatus ?? "queued", request.change),
            phase: null,
          }));
        },
        close() {
          closing = true;
          return object.close();
        },
      };
    },
  },
  {
    name: "lets its driver's error through",
    clause: "S20",
    object(object) {
      const raw = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
        try {
          return await answer;
        } catch (error) {
          throw new Error("The database connection is not open", { cause: error });
        }
      };
      return {
        ...object,
        read: (queries) => raw(object.read(queries)),
        append: (requests) => raw(object.append(requests)),
      };
    },
  },
];
