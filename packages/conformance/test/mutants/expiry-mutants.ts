import { isTerminal } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { appendAlone, appendEach, type Mutant } from "./mutant.ts";

const FOR_EVER = 10_000_000_000;

/** Ends a run under any lease. */
async function end(data: RunEventStore, runId: string): Promise<void> {
  await appendAlone(data, {
    runId,
    ownerId: null,
    events: [{ eventType: "RUN_CANCELLED", payload: "null", phase: null }],
    change: "cancelled",
    idempotencyKey: null,
    expectedSequence: null,
    appender: { by: "owner" },
  });
}

/** The purged runs pass through `change`. */
function mapPurge(
  data: RunEventStore,
  change: (request: Parameters<RunEventStore["purge"]>[0]) => ReturnType<RunEventStore["purge"]>,
): RunEventStore {
  return { ...data, purge: change };
}

/** Stores that miss a run that is over, or end or remove one that is not. */
export const expiryMutants: readonly Mutant[] = [
  {
    name: "lists claimed runs as expired",
    clause: "S23",
    data: (data) => ({
      ...data,
      listExpired: (query) => data.listExpired({ ...query, graceMs: query.graceMs - FOR_EVER }),
    }),
  },
  {
    name: "lists runs before the grace is over",
    clause: "S23",
    data: (data) => ({
      ...data,
      listExpired: (query) => data.listExpired({ ...query, graceMs: 0 }),
    }),
  },
  {
    name: "lists those first whose lease expired last",
    clause: "S23",
    data: (data) => ({
      ...data,
      listExpired: async (query) => (await data.listExpired(query)).toReversed(),
    }),
  },
  {
    name: "lists those first that were created first",
    clause: "S23",
    data: (data) => ({
      ...data,
      async listExpired({ graceMs, limit }) {
        const ordinals = new Map<string, number>();
        for (const runId of await data.listExpired({ graceMs, limit: 1_000 })) {
          ordinals.set(runId, (await data.getRun(runId))?.ordinal ?? 0);
        }
        const inOrder = [...ordinals].toSorted(([, one], [, other]) => one - other);
        return inOrder.slice(0, limit).map(([runId]) => runId);
      },
    }),
  },
  {
    name: "lists more runs than asked for",
    clause: "S23",
    data: (data) => ({
      ...data,
      listExpired: (query) => data.listExpired({ ...query, limit: query.limit + 1 }),
    }),
  },
  {
    name: "lets a reaper end a claimed run",
    clause: "S23",
    data: (data) => ({
      ...data,
      ...appendEach((request) =>
        appendAlone(data, {
          ...request,
          appender: request.appender.by === "reaper" ? { by: "owner" } : request.appender,
        }),
      ),
    }),
  },
  {
    name: "lets a reaper end a run before the grace is over",
    clause: "S23",
    data: (data) => ({
      ...data,
      ...appendEach((request) =>
        appendAlone(data, {
          ...request,
          appender:
            request.appender.by === "reaper" ? { by: "reaper", graceMs: 0 } : request.appender,
        }),
      ),
    }),
  },
  {
    name: "answers each of two reapers that it has ended the run",
    clause: "S23",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const outcome = await appendAlone(data, request);
        if (outcome.outcome !== "finished" || request.appender.by !== "reaper") return outcome;
        const { lastSequence, runStatus } = outcome;
        const landing = { firstSequence: lastSequence, lastSequence, runStatus, phase: null };
        return { outcome: "appended", ...landing };
      }),
    }),
  },
  {
    name: "purges runs that finished later",
    clause: "S24",
    data: (data) => mapPurge(data, (request) => data.purge({ ...request, finishedForMs: 0 })),
  },
  {
    name: "purges runs a second before they are old enough",
    clause: "S24",
    data: (data) =>
      mapPurge(data, ({ finishedForMs, limit }) =>
        data.purge({ finishedForMs: Math.max(0, finishedForMs - 1_000), limit }),
      ),
  },
  {
    name: "leaves runs that are just old enough",
    clause: "S24",
    data: (data) =>
      mapPurge(data, ({ finishedForMs, limit }) =>
        data.purge({ finishedForMs: finishedForMs * 2 + 1, limit }),
      ),
  },
  {
    name: "purges those first that were created first",
    clause: "S24",
    data: (data) =>
      mapPurge(data, async ({ finishedForMs, limit }) => {
        const query = { ownerId: "ada", runStatus: null, before: null, limit: 1_000 };
        const latestMs = Date.now() - finishedForMs;
        const old = (await data.listRuns(query)).filter(
          ({ finishedAtMs }) => (finishedAtMs ?? Infinity) <= latestMs,
        );
        const oldest = old.toReversed().slice(0, limit);
        for (const { runId } of oldest) await data.deleteRun(runId, null);
        return oldest.map(({ runId }) => runId);
      }),
  },
  {
    name: "ends the newest run and purges it with the others",
    clause: "S24",
    data(data) {
      let newest = "";
      return {
        ...data,
        createRun(request) {
          newest = request.runId;
          return data.createRun(request);
        },
        async purge(request) {
          const run = await data.getRun(newest);
          if (run !== null && !isTerminal(run.runStatus)) await end(data, newest);
          return data.purge(request);
        },
      };
    },
  },
  {
    name: "purges more runs than asked for",
    clause: "S24",
    data: (data) => mapPurge(data, (request) => data.purge({ ...request, limit: Infinity })),
  },
  {
    name: "purges those first that finished last",
    clause: "S24",
    data: (data) => mapPurge(data, async (request) => (await data.purge(request)).toReversed()),
  },
  {
    name: "returns runs as purged that stay",
    clause: "S24",
    data(data) {
      const said = new Set<string>();
      return mapPurge(data, async ({ finishedForMs, limit }) => {
        const latestMs = Date.now() - finishedForMs;
        const runs = await data.listRuns({ ownerId: "ada", runStatus: null, before: null, limit });
        const old = runs.filter(
          ({ runId, finishedAtMs }) => (finishedAtMs ?? Infinity) <= latestMs && !said.has(runId),
        );
        for (const { runId } of old) said.add(runId);
        return old.map(({ runId }) => runId).toReversed();
      });
    },
  },
  {
    name: "purges without a notification",
    clause: "S24",
    data(data) {
      let isMute = false;
      return {
        ...data,
        async purge(request) {
          isMute = true;
          const purged = await data.purge(request);
          // The notifications come in their own turn.
          await Promise.resolve();
          isMute = false;
          return purged;
        },
        subscribe: (subject, onNotification) =>
          data.subscribe(subject, (changed) => {
            if (!isMute) onNotification(changed);
          }),
      };
    },
  },
];
