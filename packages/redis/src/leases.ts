import type {
  ClaimRequest,
  ExpiredQuery,
  LeaseOutcome,
  ReleaseRequest,
  RenewRequest,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isNewOrdinal } from "./list-entries.ts";
import { addDue, dropDue, type DueEntry } from "./due.ts";
import { type DueTime, findDue } from "./find-due.ts";
import { sendClaim } from "./scripts/claim.ts";
import type { DueRun } from "./scripts/due-run.ts";
import { otherLease, parseLeaseReply } from "./scripts/lease-reply.ts";
import { moveDue } from "./scripts/move-due.ts";
import { sendRelease } from "./scripts/release.ts";
import { sendRenew } from "./scripts/renew.ts";

/** The key of a claim as scripts get it. The client silently sends unanswered commands again, so a claim without a key gets one. */
export function claimKeyOf(key: string | undefined): string {
  return key === undefined ? `~${crypto.randomUUID()}` : `=${key}`;
}

/**
 * Claims a run for the caller. In a cluster the entry in the index of leases is made between two calls of the script.
 * @param claimKey as from `claimKeyOf`
 * @see clause S21 in `STORE.md`
 */
export async function claimRun(
  connection: Connection,
  request: ClaimRequest,
  claimKey: string = claimKeyOf(request.claimKey),
): Promise<LeaseOutcome> {
  const { runId } = request;
  const { held } = connection.keys;
  let made: DueEntry | null = null;
  for (;;) {
    const reply = await sendClaim(connection, { ...request, claimKey }, made?.mark ?? null);
    if (reply[0] !== "unindexed") {
      const outcome = parseLeaseReply(reply, runId);
      // The entry is of no use without its lease, since no other claim uses its mark.
      const unused = made?.mark === markOf(outcome) ? null : made;
      for (const over of [otherLease(reply, runId), unused]) {
        if (over !== null) dropDue(connection, held, over);
      }
      return outcome;
    }
    // This may repeat, if another claim was granted meanwhile.
    if (made !== null) dropDue(connection, held, made);
    const [, mark, leaseExpiresAtMs] = reply;
    made = { mark, runId };
    await addDue(connection, held, made, leaseExpiresAtMs);
  }
}

/**
 * Moves the end of a lease. Its entry in the index is only the time of the next check, so it stays, unless the lease is now
 * shorter. If a process dies before it has moved the entry, a check finds it when the lease would otherwise have expired.
 * @see clause S21 in `STORE.md`
 */
export async function renewLease(
  connection: Connection,
  request: RenewRequest,
): Promise<LeaseOutcome> {
  const { runId } = request;
  const reply = await sendRenew(connection, request);
  const outcome = parseLeaseReply(reply, runId);
  const entry = otherLease(reply, runId);
  if (entry !== null && outcome.outcome === "granted") {
    const atMs = outcome.run.leaseExpiresAtMs ?? 0;
    await moveDue(connection, connection.keys.held, "LT", [{ entry, atMs }]);
  }
  return outcome;
}

/**
 * Ends a lease.
 * @see clause S21 in `STORE.md` of `@tm/run-events-core`
 */
export async function releaseRun(
  connection: Connection,
  request: ReleaseRequest,
): Promise<LeaseOutcome> {
  const { runId } = request;
  const reply = await sendRelease(connection, request);
  const over = otherLease(reply, runId);
  if (over !== null) dropDue(connection, connection.keys.held, over);
  return parseLeaseReply(reply, runId);
}

/**
 * The runs whose lease expired some time ago.
 * @see clause S23 in `STORE.md`
 */
export async function listExpired(
  connection: Connection,
  { graceMs, limit }: ExpiredQuery,
): Promise<readonly string[]> {
  const expired = await findDue(connection, {
    index: connection.keys.held,
    ageMs: graceMs,
    limit,
    judge: judgeLease,
  });
  return expired.map(({ runId }) => runId);
}

function judgeLease({ mark }: DueEntry, run: DueRun | null, nowMs: number): DueTime | null {
  const [ordinal = 0, fence = 0] = mark.split("/").map(Number);
  // A run may be about to be created with this lease.
  if (run === null && isNewOrdinal(ordinal, nowMs)) return { atMs: nowMs + 1, isTrue: false };
  if (run === null || run.ordinal !== ordinal || run.finishedAtMs !== null) return null;
  if (run.fence > fence) return null;
  // A worker may be about to get this lease: from now on, and for a millisecond at least.
  if (run.fence < fence) return { atMs: nowMs + 1, isTrue: false };
  return run.leaseExpiresAtMs === null ? null : { atMs: run.leaseExpiresAtMs, isTrue: true };
}

/** The mark of the lease that was granted. */
function markOf(outcome: LeaseOutcome | null): string | null {
  if (outcome?.outcome !== "granted") return null;
  return `${outcome.run.ordinal}/${outcome.run.fence}`;
}
