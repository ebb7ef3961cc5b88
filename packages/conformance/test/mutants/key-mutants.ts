import type { AppendRequest, RunEventStore } from "@tm/run-events-core/store";
import { type AppendAnswer, appendAlone, appendEach, type Mutant } from "./mutant.ts";

/** Stores that take for one what is two: batches, keys, owners. */
export const keyMutants: readonly Mutant[] = [
  {
    name: "knows a batch by its types and payloads, joined without a separator",
    clause: "S5",
    data: (data) =>
      knowBatchesBy(data, ({ events }) =>
        events.map(({ eventType, payload }) => eventType + payload).join(""),
      ),
  },
  {
    name: "knows a batch by its payloads alone",
    clause: "S5",
    data: (data) => knowBatchesBy(data, ({ events }) => events.map(({ payload }) => payload)),
  },
  {
    name: "knows a batch by its length, its first event and its last",
    clause: "S5",
    data: (data) =>
      knowBatchesBy(data, ({ events }) => [events.length, events.at(0), events.at(-1)]),
  },
  {
    name: "knows a batch by the first 4 KiB of each payload",
    clause: "S5",
    data: (data) =>
      knowBatchesBy(data, ({ events }) =>
        events.map(({ eventType, payload }) => [eventType, payload.slice(0, 4_096)]),
      ),
  },
  {
    name: "cuts keys at 64 characters",
    clause: "S5",
    data: (data) => ({
      ...data,
      append: (requests) =>
        data.append(
          requests.map((request) => ({
            ...request,
            idempotencyKey: request.idempotencyKey?.slice(0, 64) ?? null,
          })),
        ),
    }),
  },
  {
    name: "forgets a run's keys but the newest 128",
    clause: "S5",
    data(data) {
      const keys = new Map<string, string[]>();
      return {
        ...data,
        ...appendEach(async (request) => {
          const { runId, idempotencyKey } = request;
          if (idempotencyKey === null) return appendAlone(data, request);
          const kept = keys.get(runId) ?? [];
          keys.set(runId, kept);
          const isForgotten = kept.slice(0, -128).includes(idempotencyKey);
          const answer = await appendAlone(data, {
            ...request,
            idempotencyKey: isForgotten ? null : idempotencyKey,
          });
          if (answer.outcome === "appended") kept.push(idempotencyKey);
          return answer;
        }),
      };
    },
  },
  {
    name: "keeps the keys of all runs under run id, hyphen and key",
    clause: "S8",
    data(data) {
      const receipts = new Map<string, { readonly runId: string; readonly answer: AppendAnswer }>();
      return {
        ...data,
        ...appendEach(async (request) => {
          const { runId, idempotencyKey } = request;
          const id = `${runId}-${idempotencyKey}`;
          const kept = idempotencyKey === null ? undefined : receipts.get(id);
          if (kept !== undefined && kept.runId !== runId) return kept.answer;
          const answer = await appendAlone(data, request);
          if (idempotencyKey !== null && answer.outcome === "appended") {
            receipts.set(id, { runId, answer: { ...answer, outcome: "replayed" } });
          }
          return answer;
        }),
      };
    },
  },
  {
    name: "cuts owners at 64 characters in its index",
    clause: "S8",
    data: (data) => {
      const owners = new Map<string, Set<string>>();
      return {
        ...data,
        createRun(request) {
          const { ownerId } = request;
          const alike = owners.get(ownerId.slice(0, 64)) ?? new Set();
          owners.set(ownerId.slice(0, 64), alike.add(ownerId));
          return data.createRun(request);
        },
        async listRuns(query) {
          const alike = owners.get(query.ownerId.slice(0, 64)) ?? [];
          const lists = [...alike].map((ownerId) => data.listRuns({ ...query, ownerId }));
          const runs = (await Promise.all(lists)).flat();
          return runs.toSorted((a, b) => b.ordinal - a.ordinal).slice(0, query.limit);
        },
      };
    },
  },
];

/** A store that takes batches of one fingerprint for the same. */
function knowBatchesBy(
  data: RunEventStore,
  fingerprintOf: (request: AppendRequest) => unknown,
): RunEventStore {
  const batches = new Map<string, Pick<AppendRequest, "events" | "change">>();
  return {
    ...data,
    ...appendEach(async (request) => {
      const { runId, idempotencyKey, events, change } = request;
      if (idempotencyKey === null) return appendAlone(data, request);
      const ordinal = (await data.getRun(runId))?.ordinal;
      const id = JSON.stringify([runId, ordinal, idempotencyKey, fingerprintOf(request)]);
      const answer = await appendAlone(data, { ...request, ...batches.get(id) });
      if (answer.outcome === "appended") batches.set(id, { events, change });
      return answer;
    }),
  };
}
