import { isTerminal, type ListQuery, type RunRecord } from "@tm/run-events-core";
import { type Claim, dropClaim, findClaims, STATUSES } from "./claims.ts";
import type { Connection } from "./connection.ts";

const DAY_MICROS = 24 * 60 * 60 * 1_000_000;

/**
 * An owner's runs, newest first: what its list claims, as far as the runs themselves agree. Claims that can never come
 * true again are removed in passing.
 * @see S12, W14
 */
export async function listRuns(
  connection: Connection,
  query: ListQuery,
): Promise<readonly RunRecord[]> {
  const { ownerId, runStatus, limit } = query;
  const statuses = runStatus === null ? STATUSES : [runStatus];
  const listed: RunRecord[] = [];
  let below = query.before ?? Number.MAX_SAFE_INTEGER;
  for (;;) {
    const { claims, nowMicros } = await findClaims(connection, { ownerId, statuses, below, limit });
    const heads = await Promise.all(claims.map(([{ runId }]) => connection.head(runId)));
    claims.forEach((ofRun, index) => {
      const head = heads[index] ?? null;
      for (const claim of ofRun) {
        if (isVoid(claim, head, nowMicros)) dropClaim(connection, claim);
      }
      if (head?.ordinal !== ofRun[0].ordinal || listed.length === limit) return;
      if (runStatus === null || head.runStatus === runStatus) listed.push(head);
    });
    const last = claims.at(-1);
    if (last === undefined || claims.length < limit || listed.length === limit) return listed;
    below = last[0].ordinal;
  }
}

/** Whether a claim can never come true again: statuses only go forward, and a run that is long not there is not being made. */
function isVoid(claim: Claim, head: RunRecord | null, nowMicros: number): boolean {
  if (head?.ordinal !== claim.ordinal) return nowMicros - claim.ordinal > DAY_MICROS;
  if (head.runStatus === claim.runStatus) return false;
  return claim.runStatus === "queued" || isTerminal(head.runStatus);
}
