import { encodeTime } from "../rules/encode-time.ts";
import type { LeasedRun } from "../rules/claims.ts";
import type { LogPage } from "../rules/page.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import type { RunRecord } from "../rules/run.ts";
import type { ListedRuns } from "../rules/run-list.ts";
import { encodeEvent } from "./frame.ts";

export { encodeTime } from "../rules/encode-time.ts";

/** Writes a page for the wire, payloads as they were stored. @see clause W15 in `WIRE.md` of `@tm/run-events-http` */
export function encodePage(page: LogPage): string {
  return PAGE_START + encodeEvents(page.events) + encodePageEnd(page);
}

/** The beginning of a page, before {@link encodeEvents}. */
export const PAGE_START = '{"events":[';

/** A page's events, or some of them: with a comma between two parts. */
export function encodeEvents(events: LogPage["events"]): string {
  return events.map(encodeEvent).join(",");
}

/** The end of a page, after its events. */
export function encodePageEnd(page: Omit<LogPage, "events">): string {
  const { runStatus, phase, lastSequence, hasMore, since } = page;
  const began = since === undefined ? "" : `,"since":${since}`;
  return `],"runStatus":"${runStatus}","currentPhase":${phase ?? "null"},"lastSequence":${lastSequence},"hasMore":${hasMore}${began}}`;
}

/**
 * Writes a run for the wire.
 * @see clause W8 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeRun(run: RunRecord): string {
  const { leaseExpiresAtMs, worker } = run;
  const lease =
    leaseExpiresAtMs === null
      ? "null"
      : `{"worker":${JSON.stringify(worker)},"expiresAt":"${encodeTime(leaseExpiresAtMs)}"}`;
  const finishedAt = run.finishedAtMs === null ? "null" : `"${encodeTime(run.finishedAtMs)}"`;
  return `{"runId":${JSON.stringify(run.runId)},"ownerId":${JSON.stringify(run.ownerId)},"runStatus":"${run.runStatus}","currentPhase":${run.phase ?? "null"},"lastSequence":${run.lastSequence},"createdAt":"${encodeTime(run.createdAtMs)}","updatedAt":"${encodeTime(run.updatedAtMs)}","finishedAt":${finishedAt},"topic":${JSON.stringify(run.topic)},"lease":${lease},"metadata":${run.metadata}}`;
}

/**
 * Writes a run for the worker that has just claimed it: the run and its lease.
 * @throws TypeError for a run without a lease
 * @see clause W36 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeClaimedRun(run: RunRecord): string {
  const { fence, leaseExpiresAtMs } = run;
  if (leaseExpiresAtMs === null)
    throw new TypeError("Expected a run with a lease, got one without.");
  return `${encodeRun(run).slice(0, -1)},${encodeLease({ fence, leaseExpiresAtMs }).slice(1)}`;
}

/** Writes a list of runs for the wire. @see clause W14 in `WIRE.md` of `@tm/run-events-http` */
export function encodeRunList(list: {
  readonly runs: readonly RunRecord[];
  readonly next: number | null;
}): string {
  const nextCursor = list.next === null ? "null" : `"${list.next}"`;
  return `{"runs":[${list.runs.map(encodeRun).join(",")}],"nextCursor":${nextCursor}}`;
}

/**
 * Writes a list as it was read for the wire.
 * @param withLast whether the last event of each run was asked for
 * @see clause W48 in `WIRE.md` of `@tm/run-events-http`
 */
export function encodeListedRuns(list: ListedRuns, withLast: boolean): string {
  const version = JSON.stringify(list.version);
  if (list.isSame) return `{"same":true,"version":${version}}`;
  const events = Array.from(
    list.last,
    ([runId, event]) => `${JSON.stringify(runId)}:${encodeEvent(event)}`,
  );
  const last = withLast ? `,"last":{${events.join(",")}}` : "";
  return `{"runs":[${list.runs.map(encodeRun).join(",")}],"version":${version},"more":${list.more}${last}}`;
}

/** Writes a receipt for the wire. @see clause W9 in `WIRE.md` of `@tm/run-events-http` */
export function encodeReceipt(receipt: AppendReceipt): string {
  const { firstSequence, lastSequence, runStatus, currentPhase, replayed } = receipt;
  return `{"firstSequence":${firstSequence},"lastSequence":${lastSequence},"runStatus":"${runStatus}","currentPhase":${JSON.stringify(currentPhase)},"replayed":${replayed}}`;
}

/** Writes a lease for the wire. @see clause W31 in `WIRE.md` of `@tm/run-events-http` */
export function encodeLease({
  fence,
  leaseExpiresAtMs,
}: Pick<LeasedRun, "fence" | "leaseExpiresAtMs">): string {
  return `{"fence":${fence},"expiresAt":"${encodeTime(leaseExpiresAtMs)}"}`;
}
