import { isTerminal } from "@tm/run-events-core";
import type { LeaseRefusal, LiveStatus } from "@tm/run-events-core/store";
import { assert, assertEqual } from "../assert.ts";
import { expiredRuns, freed, idleRuns, LONG_MS, SHORT_MS } from "../lease.ts";
import { type Command, command, own, ownOrNull, type RealStore } from "./commands.ts";
import { type ModelLease, NEW_LEASE } from "./model-lease.ts";
import { type ClaimInput, claimRequest, type Length, takeClaim, takeLease } from "./take-claim.ts";
import { checkRecord, forgetRun, type ModelRun, type StoreModel, visibleRun } from "./run-model.ts";

/** Who asks for which run. */
interface LeaseInput {
  readonly runId: string;
  readonly ownerId: string | null;
}

/** Claims a run. */
export function claimCommand(input: LeaseInput & ClaimInput): Command {
  return command("claim", input, async (model, real) => {
    const { run, refusal, request } = prepare(model, real, input);
    const outcome = await real.next().claim({ ...request, ...claimRequest(input) });
    if (run === undefined || refusal !== null) return assertEqual(outcome, refusal, "the outcome");
    await takeClaim(real, run, input, outcome);
  });
}

/** Renews a lease. @param input.step 0 for the last known fence, 1 for a higher one, -1 for one that is over */
export function renewCommand(
  input: LeaseInput & { readonly length: Length; readonly step: number },
): Command {
  return command("renew", input, async (model, real) => {
    const { run, refusal, request } = prepare(model, real, input);
    const fence = steppedFence(run?.lease ?? NEW_LEASE, input.step);
    const leaseMs = input.length === "long" ? LONG_MS : SHORT_MS;
    const outcome = await real.next().renew({ ...request, fence, leaseMs });
    if (run === undefined || refusal !== null) return assertEqual(outcome, refusal, "the outcome");
    if (run.lease.expiresAtMs === null || input.step !== 0) {
      return assertEqual(outcome, { outcome: "fenced" }, "the outcome");
    }
    await takeLease(real, run, outcome, input.length);
  });
}

function steppedFence({ fence, former }: ModelLease, step: number): number {
  return step < 0 ? former : fence + step;
}

/** Gives a run back. @param input.step as in `renewCommand` */
export function releaseCommand(input: LeaseInput & { readonly step: number }): Command {
  return command("release", input, async (model, real) => {
    const { run, refusal, request } = prepare(model, real, input);
    const fence = steppedFence(run?.lease ?? NEW_LEASE, input.step);
    const outcome = await real.next().release({ ...request, fence });
    if (run === undefined || refusal !== null) return assertEqual(outcome, refusal, "the outcome");
    if (run.lease.isSurpassed || input.step !== 0) {
      // A fence that the store has not returned yet may be this very one.
      if (run.lease.isSurpassed && outcome.outcome === "granted") return;
      return assertEqual(outcome, { outcome: "fenced" }, "the outcome");
    }
    run.lease = { ...run.lease, expiresAtMs: null, hasExpired: false };
    checkRecord(run, freed(outcome, "the release"));
  });
}

/** Lists the runs whose lease has expired. */
export function listExpiredCommand(): Command {
  return command("listExpired", null, async (model, real) => {
    const expected = [...model.runs.values()]
      .filter(({ lease }) => lease.hasExpired)
      .toSorted((a, b) => (a.lease.expiresAtMs ?? 0) - (b.lease.expiresAtMs ?? 0));
    const listed = await expiredRuns(real.next());
    assertEqual(
      listed.filter((runId) => runId.startsWith(real.prefix)),
      expected.map(({ record }) => record.runId),
      "the expired runs",
    );
  });
}

/** Lists the runs of a status that no worker works on. */
export function listIdleCommand(runStatus: LiveStatus): Command {
  return command("listIdle", runStatus, async (model, real) => {
    const expected = [...model.runs.values()]
      .filter(({ record, lease }) => record.runStatus === runStatus && lease.expiresAtMs === null)
      .map(({ record }) => record.runId);
    const listed = await idleRuns(real.next(), runStatus, 0);
    assertEqual(
      listed.filter((runId) => runId.startsWith(real.prefix)).toSorted(),
      expected.toSorted(),
      `the idle runs that are ${runStatus}`,
    );
  });
}

/** Removes all finished runs. @param limit how many a batch */
export function purgeCommand(limit: number): Command {
  return command("purge", limit, async (model, real) => {
    const finished = [...model.runs.values()].filter(({ record }) => isTerminal(record.runStatus));
    const gone: string[] = [];
    for (;;) {
      const batch = await real.next().purge({ finishedForMs: 0, limit });
      assert(
        batch.length <= limit,
        `a purge removes ${limit} runs at the most, got ${batch.length}`,
      );
      if (batch.length === 0) break;
      gone.push(...batch.filter((runId) => runId.startsWith(real.prefix)));
    }
    const runIds = finished.map(({ record }) => record.runId);
    assertEqual(gone.toSorted(), runIds.toSorted(), "the runs that were purged");
    for (const runId of runIds) forgetRun(model, runId);
  });
}

/** The run as the caller sees it, and the outcome that refuses every call about its lease. */
function prepare(
  model: StoreModel,
  real: RealStore,
  input: LeaseInput,
): {
  readonly run: ModelRun | undefined;
  readonly refusal: LeaseRefusal | null;
  readonly request: LeaseInput;
} {
  const request = { runId: own(real, input.runId), ownerId: ownOrNull(real, input.ownerId) };
  const run = visibleRun(model, request.runId, request.ownerId);
  if (run === undefined) return { run, refusal: { outcome: "not_found" }, request };
  const { runStatus, lastSequence } = run.record;
  const refusal: LeaseRefusal | null = isTerminal(runStatus)
    ? { outcome: "finished", runStatus, lastSequence }
    : null;
  return { run, refusal, request };
}
