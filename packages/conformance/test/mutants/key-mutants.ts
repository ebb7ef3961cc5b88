import type { KitStore } from "../../src/kit-store.ts";
import { appendAlone, appendEach, type Mutant, type Request, runOfRequest } from "./mutant.ts";

/** Stores that take for one what is two: batches. */
export const keyMutants: readonly Mutant[] = [
  {
    name: "knows a batch by its types and payloads, joined without a separator",
    clause: "S5",
    rules: () => (data) =>
      knowBatchesBy(data, ({ events }) =>
        events.map(({ eventType, payload }) => eventType + payload).join(""),
      ),
  },
  {
    name: "knows a batch by its payloads alone",
    clause: "S5",
    rules: () => (data) =>
      knowBatchesBy(data, ({ events }) => events.map(({ payload }) => payload)),
  },
  {
    name: "knows a batch by its length, its first event and its last",
    clause: "S5",
    rules: () => (data) =>
      knowBatchesBy(data, ({ events }) => [events.length, events.at(0), events.at(-1)]),
  },
  {
    name: "knows a batch by the first 4 KiB of each payload",
    clause: "S5",
    rules: () => (data) =>
      knowBatchesBy(data, ({ events }) =>
        events.map(({ eventType, payload }) => [eventType, payload.slice(0, 4_096)]),
      ),
  },
];

/** A store that takes batches of one fingerprint for the same. */
function knowBatchesBy(data: KitStore, fingerprintOf: (request: Request) => unknown): KitStore {
  const batches = new Map<string, Pick<Request, "events" | "change">>();
  return {
    ...data,
    ...appendEach(async (request) => {
      const { runId, idempotencyKey, events, change } = request;
      if (idempotencyKey === null) return appendAlone(data, request);
      const ordinal = (await runOfRequest(data, request))?.ordinal;
      const id = JSON.stringify([runId, ordinal, idempotencyKey, fingerprintOf(request)]);
      const answer = await appendAlone(data, { ...request, ...batches.get(id) });
      if (answer.outcome === "appended") batches.set(id, { events, change });
      return answer;
    }),
  };
}
