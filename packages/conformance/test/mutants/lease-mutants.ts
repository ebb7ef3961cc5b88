import type { LeaseOutcome, RenewRequest, RunEventStore } from "@tm/run-events-core/store";
import { appendAlone, appendEach, type Mutant } from "./mutant.ts";

type Request = Parameters<RunEventStore["append"]>[0][number];

/** A store that takes each append for one of another appender. */
function mapAppender(
  data: RunEventStore,
  appenderOf: (request: Request) => Promise<Request["appender"]>,
): RunEventStore {
  return {
    ...data,
    ...appendEach(async (request) =>
      appendAlone(data, { ...request, appender: await appenderOf(request) }),
    ),
  };
}

/** The fence that the run has now. */
async function currentFence(data: RunEventStore, runId: string): Promise<number> {
  return (await data.getRun(runId))?.fence ?? 0;
}

/** Takes a run from any worker that has it. */
async function takeAway(data: RunEventStore, runId: string): Promise<void> {
  await data.release({ runId, ownerId: null, fence: await currentFence(data, runId) });
}

/** What was asked under any fence, under the current one. */
async function underCurrent(
  data: RunEventStore,
  request: RenewRequest,
  ask: (request: RenewRequest) => Promise<LeaseOutcome>,
): Promise<LeaseOutcome> {
  return ask({ ...request, fence: await currentFence(data, request.runId) });
}

/** Stores that give a run to two workers, or to none. */
export const leaseMutants: readonly Mutant[] = [
  {
    name: "gives a claimed run to another claim",
    clause: "S21",
    data: (data) => ({
      ...data,
      async claim(request) {
        await takeAway(data, request.runId);
        return data.claim(request);
      },
    }),
  },
  {
    name: "checks whether a run is free, and claims it only later",
    clause: "S21",
    data: (data) => ({
      ...data,
      async claim(request) {
        const run = await data.getRun(request.runId);
        const isFree = (run?.leaseExpiresAtMs ?? 0) <= Date.now();
        await Promise.resolve();
        if (isFree) await takeAway(data, request.runId);
        return data.claim(request);
      },
    }),
  },
  {
    name: "gives the fence of an expired lease once more",
    clause: "S21",
    data: (data) => ({
      ...data,
      async claim(request) {
        const run = await data.getRun(request.runId);
        const { fence = 0, leaseExpiresAtMs = null } = run ?? {};
        return leaseExpiresAtMs !== null && leaseExpiresAtMs <= Date.now()
          ? data.renew({ ...request, fence })
          : data.claim(request);
      },
    }),
  },
  {
    name: "renews under any fence",
    clause: "S21",
    data: (data) => ({
      ...data,
      renew: (request) => underCurrent(data, request, (current) => data.renew(current)),
    }),
  },
  {
    name: "does not renew a lease that has just expired",
    clause: "S21",
    data: (data) => ({
      ...data,
      async renew(request) {
        const run = await data.getRun(request.runId);
        return (run?.leaseExpiresAtMs ?? Infinity) <= Date.now() && run?.fence === request.fence
          ? { outcome: "fenced" }
          : data.renew(request);
      },
    }),
  },
  {
    name: "renews and leaves the end of the lease where it was",
    clause: "S21",
    data: (data) => ({
      ...data,
      async renew(request) {
        const run = await data.getRun(request.runId);
        const outcome = await data.renew(request);
        return outcome.outcome === "granted" && run !== null ? { ...outcome, run } : outcome;
      },
    }),
  },
  {
    name: "releases under any fence",
    clause: "S21",
    data: (data) => ({
      ...data,
      release: (request) =>
        underCurrent(data, { ...request, leaseMs: 1 }, (current) => data.release(current)),
    }),
  },
  {
    name: "refuses a release that it has granted before",
    clause: "S21",
    data: (data) => ({
      ...data,
      async release(request) {
        const run = await data.getRun(request.runId);
        return run?.leaseExpiresAtMs === null && run.finishedAtMs === null
          ? { outcome: "fenced" }
          : data.release(request);
      },
    }),
  },
  {
    name: "counts a claim as an event of the run",
    clause: "S21",
    data: (data) => ({
      ...data,
      async claim(request) {
        const outcome = await data.claim(request);
        if (outcome.outcome !== "granted") return outcome;
        return { ...outcome, run: { ...outcome.run, runStatus: "running" } };
      },
    }),
  },
  {
    name: "claims another owner's run",
    clause: "W4",
    data: (data) => ({
      ...data,
      claim: (request) => data.claim({ ...request, ownerId: null }),
    }),
  },
  {
    name: "takes an append without a fence on a claimed run",
    clause: "S22",
    data: (data) =>
      mapAppender(data, async ({ appender, runId }) => {
        const run = await data.getRun(runId);
        return appender.by === "anybody" && run?.leaseExpiresAtMs
          ? { by: "worker", fence: run.fence }
          : appender;
      }),
  },
  {
    name: "takes an append under an older fence",
    clause: "S22",
    data: (data) =>
      mapAppender(data, async ({ appender, runId }) =>
        appender.by === "worker"
          ? { by: "worker", fence: Math.max(appender.fence, await currentFence(data, runId)) }
          : appender,
      ),
  },
  {
    name: "takes an append under a released fence",
    clause: "S22",
    data: (data) =>
      mapAppender(data, async ({ appender, runId }) => {
        const run = await data.getRun(runId);
        return run?.leaseExpiresAtMs === null && run.fence > 0 && appender.by === "worker"
          ? { by: "anybody" }
          : appender;
      }),
  },
  {
    name: "checks the fence of an owner's cancel",
    clause: "S22",
    data: (data) =>
      mapAppender(data, async ({ appender }) =>
        appender.by === "owner" ? { by: "anybody" } : appender,
      ),
  },
  {
    name: "cancels under the fence of the worker",
    clause: "S22",
    data: (data) =>
      mapAppender(data, async ({ appender, runId }) => {
        const run = await data.getRun(runId);
        return appender.by === "owner" && run?.leaseExpiresAtMs
          ? { by: "worker", fence: run.fence }
          : appender;
      }),
  },
  {
    name: "lets any client write once a lease has expired",
    clause: "S22",
    data: (data) =>
      mapAppender(data, async ({ appender, runId }) => {
        const run = await data.getRun(runId);
        return appender.by === "anybody" && (run?.leaseExpiresAtMs ?? Infinity) <= Date.now()
          ? { by: "worker", fence: run?.fence ?? 0 }
          : appender;
      }),
  },
  {
    name: "checks the fence, and appends only later",
    clause: "S22",
    data: (data) =>
      mapAppender(data, async ({ appender, runId }) => {
        const run = await data.getRun(runId);
        if (appender.by !== "worker" || run?.fence !== appender.fence) return appender;
        for (let turn = 0; turn < 5; turn++) await Promise.resolve();
        return { by: "worker", fence: await currentFence(data, runId) };
      }),
  },
  {
    name: "checks the fence before the key",
    clause: "S22",
    data: (data) => ({
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
    clause: "S22",
    data: (data) => ({
      ...data,
      ...appendEach(async (request) => {
        const outcome = await appendAlone(data, request);
        const { lastSequence = 0 } = (await data.getRun(request.runId)) ?? {};
        const { expectedSequence } = request;
        return outcome.outcome === "fenced" && (expectedSequence ?? lastSequence) !== lastSequence
          ? { outcome: "sequence_conflict", lastSequence }
          : outcome;
      }),
    }),
  },
];
