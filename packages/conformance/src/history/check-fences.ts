import { type Claim, type FencedTimes, timesOf } from "./fenced-times.ts";
import type { AppendOperation, LeaseOperation, Violation } from "./operation.ts";
import { firstSequenceOf, type PlacedLog, violation } from "./placed-batches.ts";

/**
 * Whether the fences were kept: each granted claim has a higher one than those before it, no claim got a run on which
 * another worker had a long lease, the log has nothing of an older fence after the place where the run was claimed again, nothing
 * without a fence where a worker had the run, and no call was refused without a reason.
 *
 * A grant shows where the log ended, so the log shows which batches came before it and which after. Only the store's clock
 * decides when a lease expires, so what depends on it alone passes.
 * @see clauses S21 and S5 in `STORE.md`
 */
export function checkFences(
  log: PlacedLog,
  leases: readonly LeaseOperation[],
  appends: readonly AppendOperation[],
): Violation | null {
  const times = timesOf(leases);
  return (
    wrongClaims(times) ??
    wrongLandings(log, times) ??
    first(leases, (lease) => wrongLease(times, lease)) ??
    first(appends, (append) => wrongRefusal(times, append))
  );
}

function first<One>(
  all: readonly One[],
  wrongOf: (one: One) => Violation | null,
): Violation | null {
  for (const one of all) {
    const wrong = wrongOf(one);
    if (wrong !== null) return wrong;
  }
  return null;
}

/** Holds each claim that was granted against the next one. */
function wrongClaims({ claims }: FencedTimes): Violation | null {
  return first(claims, (claim) => {
    const { next } = claim;
    if (next === null) return null;
    const calls = [claim.call, next.call];
    if (next.fence === claim.fence) {
      return violation("S21", `the fence ${claim.fence} was given to two claims`, calls);
    }
    if (isBefore(next.call, claim.call) || next.from < claim.from) {
      const order = `the fence ${next.fence} was given before the lower ${claim.fence}`;
      return violation("S21", order, calls);
    }
    return claim.isKept && isBefore(claim.call, next.call)
      ? violation(
          "S21",
          `the run was given to another claim, but fence ${claim.fence} had a long lease on it`,
          calls,
        )
      : null;
  });
}

function wrongLandings(log: PlacedLog, times: FencedTimes): Violation | null {
  const { claims } = times;
  return first(log.landed, (batch) => {
    const [lander, ...others] = batch.landers;
    if (lander === undefined || others.length > 0) return null;
    const { fence } = lander;
    const where = `${firstSequenceOf(batch)} to ${batch.lastSequence}`;
    const broken = (claim: Pick<Claim, "call">, what: string): Violation =>
      violation("S5", `${what} landed at ${where}`, [claim.call, lander]);
    if (fence === null) {
      const held = claims.find(
        ({ from, to }) => from < batch.lastSequence && batch.lastSequence <= to,
      );
      return held === undefined || lander.byOwner
        ? null
        : broken(held, `an append without a fence, although fence ${held.fence} had the run,`);
    }
    const own = claims.find((claim) => claim.fence === fence);
    if (own === undefined) return null;
    if (batch.lastSequence <= own.from) return broken(own, `an append of the later fence ${fence}`);
    return batch.lastSequence > own.until
      ? broken(own.next ?? own, `an append of fence ${fence}, which was over,`)
      : null;
  });
}

/** Compares a call about a lease with the claims. */
function wrongLease(times: FencedTimes, lease: LeaseOperation): Violation | null {
  const { asks, fence, result } = lease;
  if (asks === "claim") {
    return result.outcome === "claimed" && !times.mayBeHeld(lease)
      ? violation("S21", "a claim was refused, but no worker had the run", [lease])
      : null;
  }
  if (fence === null) return null;
  if (result.outcome === "granted") {
    const newer = times.claims.find((one) => one.fence > fence && isBefore(one.call, lease));
    return newer === undefined
      ? null
      : violation("S21", `a call under fence ${fence} was granted, but that fence was over`, [
          newer.call,
          lease,
        ]);
  }
  return result.outcome === "fenced" && !times.mayBeOver(fence, lease)
    ? violation("S21", `the current fence ${fence} was refused`, [lease])
    : null;
}

function wrongRefusal(times: FencedTimes, append: AppendOperation): Violation | null {
  if (append.result.outcome !== "fenced") return null;
  const { fence } = append;
  if (append.byOwner)
    return violation("S5", "an append of the owner was refused as fenced", [append]);
  if (fence === null) {
    return times.mayBeHeld(append)
      ? null
      : violation("S5", "an append was refused as fenced, but no worker had the run", [append]);
  }
  return times.mayBeOver(fence, append)
    ? null
    : violation("S5", `an append under the current fence ${fence} was refused`, [append]);
}

/** Whether a call was answered before another began. */
function isBefore(
  one: Pick<LeaseOperation, "endedAt">,
  other: Pick<LeaseOperation, "begunAt">,
): boolean {
  return one.endedAt !== null && one.endedAt < other.begunAt;
}
