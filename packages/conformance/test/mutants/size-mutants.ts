import { RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import type { Mutant } from "./mutant.ts";

const INT4 = 2 ** 31 - 1;
const MIB = 1_048_576;

/** Stores that have not counted on numbers, calls and runs as large as core's. */
export const sizeMutants: readonly Mutant[] = [
  {
    name: "refuses a since beyond 2^31 - 1",
    clause: "S9",
    data: (data) => ({
      ...data,
      async read(queries) {
        if (queries.some((query) => query.since > INT4)) throw refusal();
        return data.read(queries);
      },
    }),
  },
  {
    name: "refuses an expected sequence beyond 2^31 - 1",
    clause: "S5",
    data: (data) =>
      refuseAppends(data, (requests) =>
        requests.some((request) => (request.expectedSequence ?? 0) > INT4),
      ),
  },
  {
    name: "refuses a list before an ordinal beyond 2^31 - 1",
    clause: "W14",
    data: (data) => ({
      ...data,
      async listRuns(query) {
        if ((query.before ?? 0) > INT4) throw refusal();
        return data.listRuns(query);
      },
    }),
  },
  {
    name: "answers none of a call's queries after the fiftieth",
    clause: "S12",
    data: (data) => ({
      ...data,
      async read(queries) {
        const pages = await data.read(queries);
        return pages.map((page, index) => (index < 50 ? page : null));
      },
    }),
  },
  {
    name: "refuses a call of more than 500 requests",
    clause: "S12",
    data: (data) => refuseAppends(data, (requests) => requests.length > 500),
  },
  {
    name: "refuses a call of more than 2,000 events",
    clause: "S12",
    data: (data) =>
      refuseAppends(
        data,
        (requests) => requests.reduce((sum, { events }) => sum + events.length, 0) > 2_000,
      ),
  },
  {
    name: "refuses a batch of more than 2 MiB",
    clause: "S12",
    data: (data) =>
      refuseAppends(data, (requests) =>
        requests.some(
          ({ events }) => events.reduce((sum, { payload }) => sum + payload.length, 0) > 2 * MIB,
        ),
      ),
  },
];

function refusal(): RunEventsError {
  return new RunEventsError("store_unavailable", "Out of range.", { retryable: false });
}

function refuseAppends(
  data: RunEventStore,
  isRefused: (requests: Parameters<RunEventStore["append"]>[0]) => boolean,
): RunEventStore {
  return {
    ...data,
    async append(requests) {
      if (isRefused(requests)) throw refusal();
      return data.append(requests);
    },
  };
}
