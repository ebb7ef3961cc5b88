import { RunEventsError } from "@tm/run-events-core";
import type { NewEvent, Plain, RunEventStore } from "@tm/run-events-core/store";
import { mapChanges } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

const INT4 = 2 ** 31 - 1;
const MIB = 1_048_576;

function refusal(): RunEventsError {
  return new RunEventsError("store_unavailable", "Out of range.", { retryable: false });
}

/** A store that refuses some calls of `append`. */
function refusing(
  isRefused: (plains: readonly Plain[]) => boolean,
): (data: RunEventStore) => RunEventStore {
  return (data) => ({
    ...data,
    async append(plains) {
      if (isRefused(plains)) throw refusal();
      return data.append(plains);
    },
  });
}

function isLarge(events: readonly NewEvent[]): boolean {
  return events.reduce((sum, { payload }) => sum + payload.length, 0) > 2 * MIB;
}

/** Stores that have not counted on numbers, calls and runs as large as core's. */
export const sizeMutants: readonly Mutant[] = [
  {
    name: "refuses an expected sequence beyond 2^31 - 1",
    clause: "S5",
    data: refusing((plains) => plains.some((one) => (one.expectedSequence ?? 0) > INT4)),
  },
  {
    name: "refuses a list before an ordinal beyond 2^31 - 1",
    clause: "W14",
    data: (data) => ({
      ...data,
      async list(query) {
        if (!("due" in query) && (query.before ?? 0) > INT4) throw refusal();
        return data.list(query);
      },
    }),
  },
  {
    name: "refuses a call of more than 500 plain appends",
    clause: "S12",
    data: refusing((plains) => plains.length > 500),
  },
  {
    name: "refuses a call of more than 2,000 events",
    clause: "S12",
    data: refusing((plains) => plains.reduce((sum, { events }) => sum + events.length, 0) > 2_000),
  },
  {
    name: "refuses a batch of more than 2 MiB",
    clause: "S12",
    data: (data) => ({
      ...data,
      ...refusing((plains) => plains.some(({ events }) => isLarge(events)))(data),
      ...mapChanges(data, {
        commit(decision) {
          if (isLarge(decision.events ?? [])) throw refusal();
          return decision;
        },
      }),
    }),
  },
];
