import { isTerminal } from "@tm/run-events-core";
import type {
  ChangedQuery,
  ChangedRuns,
  RunEventStore,
  RunRecord,
} from "@tm/run-events-core/store";
import type { Mutant } from "./mutant.ts";

/** Stores that answer wrongly what has changed. */
export const changedMutants: readonly Mutant[] = [
  {
    name: "starts over at every cursor",
    clause: "S29",
    data: (data) => withChanged(data, (query) => data.listChanged({ ...query, since: null })),
  },
  {
    name: "goes on at a cursor that is not its own",
    clause: "S29",
    data: (data) =>
      mapChanged(data, (answer, { since }) => ({ ...answer, isReset: since === null })),
  },
  {
    name: "leaves out the runs that have ended since the cursor",
    clause: "S29",
    data: (data) =>
      filterRuns(
        data,
        () =>
          ({ runStatus }) =>
            !isTerminal(runStatus),
      ),
  },
  {
    name: "leaves out the runs that were created and have ended since the cursor",
    clause: "S29",
    data: (data) =>
      filterRuns(data, () => {
        const live = new Set<number>();
        return ({ ordinal, runStatus }) =>
          isTerminal(runStatus) ? live.has(ordinal) : live.add(ordinal).size > 0;
      }),
  },
  {
    name: "leaves out a run of which only the sequence has changed",
    clause: "S29",
    data: (data) =>
      filterRuns(data, () => {
        const known = new Map<number, string>();
        return ({ ordinal, runStatus, phase, lastSequence }) => {
          const state = `${runStatus} ${phase}`;
          const isSame = lastSequence > 1 && known.get(ordinal) === state;
          known.set(ordinal, state);
          return !isSame;
        };
      }),
  },
  {
    name: "leaves out the runs that wait for an input",
    clause: "S29",
    data: (data) =>
      filterRuns(
        data,
        () =>
          ({ runStatus }) =>
            runStatus !== "waiting",
      ),
  },
  {
    name: "leaves out the runs that its owner has cancelled",
    clause: "S29",
    data: (data) =>
      filterRuns(
        data,
        () =>
          ({ runStatus }) =>
            runStatus !== "cancelled",
      ),
  },
  {
    name: "answers the first only, where several runs of a group of appends end",
    clause: "S29",
    data: (data) => {
      const hidden = new Set<string>();
      return {
        ...filterRuns(
          data,
          () =>
            ({ runId }) =>
              !hidden.has(runId),
        ),
        async append(requests) {
          const ends = requests.filter(({ change }) => isTerminal(change));
          for (const { runId } of ends.slice(1)) hidden.add(runId);
          return data.append(requests);
        },
      };
    },
  },
  {
    name: "answers no run that was removed",
    clause: "S29",
    data: (data) => mapChanged(data, (answer) => ({ ...answer, gone: [] })),
  },
  {
    name: "answers no run that was purged",
    clause: "S29",
    data: (data) => {
      const purged = new Set<string>();
      return {
        ...mapChanged(data, (answer) => ({
          ...answer,
          gone: answer.gone.filter((runId) => !purged.has(runId)),
        })),
        async purge(request) {
          const runIds = await data.purge(request);
          for (const runId of runIds) purged.add(runId);
          return runIds;
        },
      };
    },
  },
  {
    name: "takes a run for gone whose id was used again",
    clause: "S29",
    data: (data) => {
      const removed = new Set<string>();
      return {
        ...mapChanged(data, (answer) => ({
          ...answer,
          runs: answer.runs.filter(({ runId }) => !removed.has(runId)),
          gone: [
            ...answer.gone,
            ...answer.runs.map(({ runId }) => runId).filter((runId) => removed.has(runId)),
          ],
        })),
        async deleteRun(runId, ownerId) {
          const outcome = await data.deleteRun(runId, ownerId);
          if (outcome === "deleted") removed.add(runId);
          return outcome;
        },
      };
    },
  },
  {
    name: "answers each run as it was when it first changed",
    clause: "S29",
    data: (data) => {
      const first = new Map<number, RunRecord>();
      return mapChanged(data, (answer) => ({
        ...answer,
        runs: answer.runs.map((run) => {
          const kept = first.get(run.ordinal) ?? run;
          first.set(run.ordinal, kept);
          return kept;
        }),
      }));
    },
  },
  {
    name: "answers a live run for ever",
    clause: "S29",
    data: (data) =>
      mapChanged(data, async (answer, { ownerId, topic = null }) => {
        const live = { ownerId, topic, runStatus: "live", before: null, limit: 1 } as const;
        const [run] = await data.listRuns(live);
        const isThere = answer.runs.some(({ runId }) => runId === run?.runId);
        return run === undefined || isThere ? answer : { ...answer, runs: [...answer.runs, run] };
      }),
  },
  {
    name: "answers the finished runs to a reader that begins",
    clause: "S29",
    data: (data) =>
      mapChanged(data, async (answer, { ownerId, topic = null, since }) => {
        if (since !== null) return answer;
        const all = { ownerId, topic, runStatus: null, before: null, limit: 1_000 } as const;
        const finished = (await data.listRuns(all)).filter(({ runStatus }) =>
          isTerminal(runStatus),
        );
        return { ...answer, runs: [...answer.runs, ...finished] };
      }),
  },
  {
    name: "ignores the topic of a question for changed runs",
    clause: "S29",
    data: (data) => withChanged(data, (query) => data.listChanged({ ...query, topic: null })),
  },
  {
    name: "answers the changed runs of other owners, too",
    clause: "S29",
    data: (data) =>
      mapChanged(data, async (answer, { since, limit }) => {
        const others = await data.listChanged({ ownerId: "bob", topic: null, since: null, limit });
        return since === null ? { ...answer, runs: [...answer.runs, ...others.runs] } : answer;
      }),
  },
  {
    name: "forgets the pages after the first one",
    clause: "S29",
    data: (data) =>
      mapChanged(data, async (answer, query) => {
        let { cursor, hasMore } = answer;
        while (hasMore) ({ cursor, hasMore } = await data.listChanged({ ...query, since: cursor }));
        return { ...answer, cursor, hasMore };
      }),
  },
  {
    name: "does not say that more runs have changed",
    clause: "S29",
    data: (data) => mapChanged(data, (answer) => ({ ...answer, hasMore: false })),
  },
  {
    name: "does not say which live runs the reader has",
    clause: "S29",
    data: (data) => mapChanged(data, (answer) => ({ ...answer, live: [] })),
  },
  {
    name: "says that the reader has live runs that are still to come",
    clause: "S29",
    data: (data) =>
      mapChanged(data, async (answer, { ownerId, topic = null }) => {
        const all = { ownerId, topic, runStatus: "live", before: null, limit: 1_000 } as const;
        return { ...answer, live: await data.listRuns(all) };
      }),
  },
  {
    name: "answers a cursor that was used before with what came after its first use",
    clause: "S29",
    data: (data) => {
      const used = new Map<string, string>();
      return withChanged(data, async (query) => {
        const { since } = query;
        const answer = await data.listChanged({
          ...query,
          since: since === null ? null : (used.get(since) ?? since),
        });
        if (since !== null && since !== answer.cursor) used.set(since, answer.cursor);
        return answer;
      });
    },
  },
  {
    name: "answers one more changed run than it was asked for",
    clause: "S29",
    object: (object) => ({
      ...object,
      listChanged: (query) => object.listChanged({ ...query, limit: query.limit + 1 }),
    }),
  },
  {
    name: "takes the cursor of a moment after its answer",
    clause: "S29",
    object: (object) => ({
      ...object,
      async listChanged(query) {
        const answer = await object.listChanged(query);
        if (answer.hasMore) return answer;
        for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
        let later = await object.listChanged({ ...query, since: answer.cursor });
        while (later.hasMore) later = await object.listChanged({ ...query, since: later.cursor });
        return { ...answer, cursor: later.cursor };
      },
    }),
  },
];

function withChanged(
  data: RunEventStore,
  listChanged: RunEventStore["listChanged"],
): RunEventStore {
  return { ...data, listChanged };
}

/** Every answer passes through `change`. */
function mapChanged(
  data: RunEventStore,
  change: (answer: ChangedRuns, query: ChangedQuery) => ChangedRuns | Promise<ChangedRuns>,
): RunEventStore {
  return withChanged(data, async (query) => change(await data.listChanged(query), query));
}

/** Answers only the runs that belong to it. */
function filterRuns(data: RunEventStore, make: () => (run: RunRecord) => boolean): RunEventStore {
  const belongs = make();
  return mapChanged(data, (answer) => ({ ...answer, runs: answer.runs.filter(belongs) }));
}
