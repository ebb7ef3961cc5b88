import type { RunStatus } from "./event.ts";
import { isTerminal } from "./lifecycle.ts";
import type { RunRecord } from "./run.ts";

/** The runs of a list by their status: the ones in one status, or the `live` ones, which have not finished. */
export type ListedStatus = RunStatus | "live";

/** Every status, in the order in which a run comes to them. */
export const STATUSES: readonly RunStatus[] = [
  "queued",
  "running",
  "waiting",
  "completed",
  "failed",
  "cancelled",
];

const LIVE: readonly RunStatus[] = STATUSES.filter((status) => !isTerminal(status));

/** The statuses that the runs of a list may have. `null` asks for all. @see clause W14 in `WIRE.md` of `@tm/run-events-http` */
export function listedStatuses(runStatus: ListedStatus | null): readonly RunStatus[] {
  if (runStatus === null) return STATUSES;
  return runStatus === "live" ? LIVE : [runStatus];
}

/** Whether a list has the run. @see clauses W14 and W34 in `WIRE.md` of `@tm/run-events-http` */
export function isListed(
  run: Pick<RunRecord, "runStatus" | "topic">,
  {
    runStatus,
    topic = null,
  }: { readonly runStatus: ListedStatus | null; readonly topic?: string | null },
): boolean {
  if (topic !== null && run.topic !== topic) return false;
  return listedStatuses(runStatus).includes(run.runStatus);
}
