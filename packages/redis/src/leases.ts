import type {
  ClaimRequest,
  ExpiredQuery,
  LeaseOutcome,
  ReleaseRequest,
  RenewRequest,
  TerminalStatus,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isCluster } from "./driver.ts";
import {
  addDue,
  dropDue,
  type DueEntry,
  type DueRun,
  type DueTime,
  findDue,
  hastenDue,
} from "./due.ts";
import { runDamaged } from "./failure.ts";
import { parseHead } from "./head.ts";
import { CLAIM, RELEASE, RENEW } from "./lease-scripts.ts";

type LeaseReply =
  | readonly ["not_found" | "fenced"]
  | readonly ["finished", runStatus: TerminalStatus, lastSequence: string]
  | readonly ["claimed", leaseExpiresAtMs: string]
  | readonly ["granted", head: readonly (string | null)[], otherLease: string | null];

type ClaimReply = LeaseReply | readonly ["unindexed", mark: string, leaseExpiresAtMs: string];

/** Gives a run to the caller. In a cluster the entry in the index of leases is made between two calls of the script. @see S21 */
export async function claimRun(
  connection: Connection,
  { runId, ownerId, leaseMs, claimKey }: ClaimRequest,
): Promise<LeaseOutcome> {
  const { redis, keys } = connection;
  const { head } = keys.ofRun(runId);
  const scriptKeys = isCluster(redis) ? [head] : [head, keys.held];
  // The client silently sends unanswered commands again, so a claim without a key gets one.
  const key = claimKey === undefined ? `~${crypto.randomUUID()}` : `=${claimKey}`;
  const asked = [askedOwner(ownerId), String(leaseMs), key, runId];
  let made: DueEntry | null = null;
  for (;;) {
    const values = [...asked, made?.mark ?? ""];
    const reply = (await connection.change(CLAIM, scriptKeys, values)) as ClaimReply;
    if (reply[0] !== "unindexed") {
      const outcome = parseOutcome(reply, runId);
      // The entry is of no use without its lease, since no other claim uses its mark.
      const unused = made?.mark === markOf(outcome) ? null : made;
      for (const over of [otherLease(reply, runId), unused]) {
        if (over !== null) dropDue(connection, keys.held, over);
      }
      return outcome;
    }
    // This may repeat: each time another claim was granted meanwhile.
    if (made !== null) dropDue(connection, keys.held, made);
    const [, mark, leaseExpiresAtMs] = reply;
    made = { mark, runId };
    await addDue(connection, keys.held, made, leaseExpiresAtMs);
  }
}

/** Puts off the end of a lease. Its entry in the index says no more than when it is worth a look, and stays. @see S21 */
export async function renewLease(
  connection: Connection,
  { runId, ownerId, fence, leaseMs }: RenewRequest,
): Promise<LeaseOutcome> {
  const { keys } = connection;
  const reply = (await connection.change(
    RENEW,
    [keys.ofRun(runId).head],
    [askedOwner(ownerId), String(fence), String(leaseMs)],
  )) as LeaseReply;
  const outcome = parseOutcome(reply, runId);
  const shorter = otherLease(reply, runId);
  if (shorter !== null && outcome.outcome === "granted") {
    await hastenDue(connection, keys.held, shorter, outcome.run.leaseExpiresAtMs ?? 0);
  }
  return outcome;
}

/** Ends a lease. @see S21 */
export async function releaseRun(
  connection: Connection,
  { runId, ownerId, fence }: ReleaseRequest,
): Promise<LeaseOutcome> {
  const { keys } = connection;
  const reply = (await connection.change(
    RELEASE,
    [keys.ofRun(runId).head],
    [askedOwner(ownerId), String(fence)],
  )) as LeaseReply;
  const over = otherLease(reply, runId);
  if (over !== null) dropDue(connection, keys.held, over);
  return parseOutcome(reply, runId);
}

/** The runs whose lease ran out some time ago. @see S23 */
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
  const [ordinal, fence = 0] = mark.split("/").map(Number);
  if (run === null || run.ordinal !== ordinal || run.finishedAtMs !== null) return null;
  if (run.fence > fence) return null;
  // Somebody may be about to claim the run: from now on, and for a millisecond at least.
  if (run.fence < fence) return { atMs: nowMs + 1, isTrue: false };
  return run.leaseExpiresAtMs === null ? null : { atMs: run.leaseExpiresAtMs, isTrue: true };
}

function askedOwner(ownerId: string | null): string {
  return ownerId === null ? "" : `=${ownerId}`;
}

/** The mark of the lease that was granted. */
function markOf(outcome: LeaseOutcome | null): string | null {
  if (outcome?.outcome !== "granted") return null;
  return `${outcome.run.ordinal}/${outcome.run.fence}`;
}

/** The entry of the lease that a granted reply tells of. */
function otherLease(reply: LeaseReply, runId: string): DueEntry | null {
  const mark = reply[0] === "granted" ? reply[2] : null;
  return mark === null ? null : { mark, runId };
}

function parseOutcome(reply: LeaseReply, runId: string): LeaseOutcome {
  switch (reply[0]) {
    case "not_found":
    case "fenced":
      return { outcome: reply[0] };
    case "finished":
      return { outcome: reply[0], runStatus: reply[1], lastSequence: Number(reply[2]) };
    case "claimed":
      return { outcome: reply[0], leaseExpiresAtMs: Number(reply[1]) };
    case "granted": {
      const run = parseHead(runId, reply[1]);
      if (run === null) throw runDamaged();
      return { outcome: reply[0], run };
    }
  }
}
