import { RunEventsError } from "@tm/run-events-core";
import type { NewEvent, Plain } from "@tm/run-events-core/store";
import { mapChanges } from "./inner-store.ts";
import type { DataFault, Faults } from "./mutant.ts";

const INT4 = 2 ** 31 - 1;
const MIB = 1_048_576;

function refuseIf(isRefused: boolean): void {
  if (isRefused) {
    throw new RunEventsError("store_unavailable", "Out of range.", { retryable: false });
  }
}

/** Refuses some calls of `append`. */
function refusing(isRefused: (plains: readonly Plain[]) => boolean): DataFault {
  return (data) => ({
    async append(plains) {
      refuseIf(isRefused(plains));
      return data.append(plains);
    },
  });
}

function isLarge(events: readonly NewEvent[] = []): boolean {
  return events.reduce((sum, { payload }) => sum + payload.length, 0) > 2 * MIB;
}

/** Stores that have not counted on numbers, calls and runs as large as core's. */
export const sizeFaults: Faults = {
  "S5 refuses an expected sequence beyond 2^31 - 1": refusing((plains) =>
    plains.some((one) => (one.expectedSequence ?? 0) > INT4),
  ),
  "W14 refuses a list before an ordinal beyond 2^31 - 1": (data) => ({
    async list(query) {
      refuseIf(!("due" in query) && (query.before ?? 0) > INT4);
      return data.list(query);
    },
  }),
  "S12 refuses a call of more than 500 plain appends": refusing((plains) => plains.length > 500),
  "S12 refuses a call of more than 2,000 events": refusing(
    (plains) => plains.reduce((sum, { events }) => sum + events.length, 0) > 2_000,
  ),
  "S12 refuses a batch of more than 2 MiB": (data) => ({
    ...refusing((plains) => plains.some(({ events }) => isLarge(events)))(data),
    ...mapChanges(data, {
      commit(decision) {
        refuseIf(isLarge(decision.events));
        return decision;
      },
    }),
  }),
};
