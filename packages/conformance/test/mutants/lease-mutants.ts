import type { KitStore } from "../../src/kit-store.ts";
import { appendAlone, appendEach, type Mutant, type Request, runOfRequest } from "./mutant.ts";

/** A store that takes each append for one of another appender. */
function mapAppender(
  data: KitStore,
  appenderOf: (request: Request) => Promise<Request["appender"]>,
): KitStore {
  return {
    ...data,
    ...appendEach(async (request) =>
      appendAlone(data, { ...request, appender: await appenderOf(request) }),
    ),
  };
}

/** The fence that the run has now. */
async function currentFence(data: KitStore, runId: string): Promise<number> {
  return (await data.getRun(runId))?.fence ?? 0;
}

/** Takes a run from any worker that has it. */
async function takeAway(data: KitStore, runId: string): Promise<void> {
  await data.release({ runId, fence: await currentFence(data, runId) });
}

/** Stores that give a run to two workers, or to none. */
export const leaseMutants: readonly Mutant[] = [
  {
    name: "gives a claimed run to another claim",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      async claim(request) {
        await takeAway(data, request.runId);
        return data.claim(request);
      },
    }),
  },
  {
    name: "gives the fence of an expired lease once more",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      async claim(request) {
        const run = await runOfRequest(data, request);
        const { fence = 0, leaseExpiresAtMs = null } = run ?? {};
        if (leaseExpiresAtMs === null || leaseExpiresAtMs > Date.now()) return data.claim(request);
        await data.renew({ ...request, fence });
        const renewed = await runOfRequest(data, request);
        return renewed === null ? { outcome: "not_found" } : { outcome: "granted", run: renewed };
      },
    }),
  },
  {
    name: "does not renew a lease that has just expired",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      async renew(request) {
        const run = await runOfRequest(data, request);
        return (run?.leaseExpiresAtMs ?? Infinity) <= Date.now() && run?.fence === request.fence
          ? { outcome: "fenced" }
          : data.renew(request);
      },
    }),
  },
  {
    name: "renews and leaves the end of the lease where it was",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      async renew(request) {
        const run = await runOfRequest(data, request);
        const outcome = await data.renew(request);
        const { leaseExpiresAtMs = null } = run ?? {};
        return outcome.outcome === "granted" ? { ...outcome, leaseExpiresAtMs } : outcome;
      },
    }),
  },
  {
    name: "releases under any fence",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      release: async (request) =>
        data.release({ ...request, fence: await currentFence(data, request.runId) }),
    }),
  },
  {
    name: "refuses a release that it has granted before",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      async release(request) {
        const run = await runOfRequest(data, request);
        return run?.leaseExpiresAtMs === null && run.finishedAtMs === null
          ? { outcome: "fenced" }
          : data.release(request);
      },
    }),
  },
  {
    name: "counts a claim as an event of the run",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      async claim(request) {
        const outcome = await data.claim(request);
        if (outcome.outcome !== "granted") return outcome;
        return { ...outcome, run: { ...outcome.run, runStatus: "running" } };
      },
    }),
  },
  {
    name: "checks the fence of an owner's cancel",
    clause: "S5",
    rules: () => (data) =>
      mapAppender(data, async ({ appender }) =>
        appender.by === "owner" ? { by: "anybody" } : appender,
      ),
  },
  {
    name: "cancels under the fence of the worker",
    clause: "S5",
    rules: () => (data) =>
      mapAppender(data, async ({ appender, runId }) => {
        const run = await data.getRun(runId);
        return appender.by === "owner" && run?.leaseExpiresAtMs
          ? { by: "worker", fence: run.fence }
          : appender;
      }),
  },
  {
    name: "lets any client write once a lease has expired",
    clause: "S5",
    rules: () => (data) =>
      mapAppender(data, async ({ appender, runId }) => {
        const run = await data.getRun(runId);
        return appender.by === "anybody" && (run?.leaseExpiresAtMs ?? Infinity) <= Date.now()
          ? { by: "worker", fence: run?.fence ?? 0 }
          : appender;
      }),
  },
  {
    name: "checks the fence before the key",
    clause: "S5",
    rules: () => (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const plain = { ...request, idempotencyKey: null, expectedSequence: -1 };
        const judged = await appendAlone(data, plain);
        return judged.outcome === "fenced" ? judged : appendAlone(data, request);
      }),
    }),
  },
  {
    name: "checks the expected sequence before the fence",
    clause: "S5",
    rules: () => (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const outcome = await appendAlone(data, request);
        const { lastSequence = 0 } = (await runOfRequest(data, request)) ?? {};
        const { expectedSequence } = request;
        return outcome.outcome === "fenced" && (expectedSequence ?? lastSequence) !== lastSequence
          ? { outcome: "sequence_conflict", lastSequence }
          : outcome;
      }),
    }),
  },
];
