import {
  type ClaimRequest,
  type LeaseOutcome,
  type LeaseRefusal,
  nextFence,
  type ReleaseRequest,
  type RenewRequest,
} from "./claims.ts";
import type { Decision, Rule } from "./decision.ts";
import { recordOf, type Run } from "./head.ts";
import { finishedOutcome } from "./judge-append.ts";
import { isTerminal } from "./lifecycle.ts";

type LeaseDecision = Decision<LeaseOutcome, Run>;

/**
 * The rule of a claim. While another worker's lease lasts, it is refused. But the same claim, sent again because its answer was lost, gets the
 * same lease.
 * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
 */
export function claimRule({ claimKey, leaseMs, worker = null }: ClaimRequest): Rule<LeaseOutcome> {
  return leaseRule((run, nowMs) => {
    const { leaseExpiresAtMs } = run;
    if (leaseExpiresAtMs !== null && leaseExpiresAtMs > nowMs) {
      const isSame = claimKey !== undefined && claimKey === run.keptClaim;
      return isSame
        ? { answer: granted(run) }
        : { answer: { outcome: "claimed", leaseExpiresAtMs } };
    }
    const fence = nextFence(run, nowMs);
    const lease = { fence, leaseExpiresAtMs: nowMs + leaseMs, worker };
    return grant({ ...run, ...lease, keptClaim: claimKey ?? null });
  });
}

/** The rule of a renewal. An expired lease can be renewed until another worker claims the run. */
export function renewRule({ fence, leaseMs }: RenewRequest): Rule<LeaseOutcome> {
  return leaseRule((run, nowMs) =>
    run.fence === fence && run.leaseExpiresAtMs !== null
      ? grant({ ...run, leaseExpiresAtMs: nowMs + leaseMs })
      : { answer: { outcome: "fenced" } },
  );
}

/** The rule of a release. The same release may be sent again. From then on the run is idle, unless it is still queued. */
export function releaseRule({ fence }: ReleaseRequest): Rule<LeaseOutcome> {
  return leaseRule((run) => {
    if (run.fence !== fence) return { answer: { outcome: "fenced" } };
    if (run.leaseExpiresAtMs === null) return { answer: granted(run) };
    return grant({ ...run, leaseExpiresAtMs: null, worker: null });
  });
}

/** A rule about the lease of a live run. */
function leaseRule(rule: (run: Run, nowMs: number) => LeaseDecision): Rule<LeaseOutcome> {
  return ({ head, nowMs }) => {
    const refusal = refusalOf(head);
    return head === null || refusal !== null
      ? { answer: refusal ?? { outcome: "not_found" } }
      : rule(head, nowMs);
  };
}

function refusalOf(run: Run | null): LeaseRefusal | null {
  if (run === null) return { outcome: "not_found" };
  return isTerminal(run.runStatus) ? finishedOutcome(run, run.runStatus) : null;
}

function grant(after: Run): LeaseDecision {
  return { answer: granted(after), after };
}

function granted(run: Run): LeaseOutcome {
  return { outcome: "granted", run: recordOf(run) };
}
