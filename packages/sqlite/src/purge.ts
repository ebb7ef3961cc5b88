import type { PurgeRequest, RunRecord } from "@tm/run-events-core/store";
import type { Statements } from "./statements.ts";

/**
 * A call ends with the run that reaches so many events. They go in one transaction, for which appends and this process have to
 * wait: 2 to 20 ms, where 10,000 took 20 to 80.
 */
const PURGE_EVENTS = 2_000;

/**
 * Removes the runs that finished first inside an open write transaction; their events and receipts go with them.
 * @param nowMs the store's clock
 * @returns their ids
 * @see S24
 */
export function purgeRuns(
  sql: Statements,
  { finishedForMs, limit }: PurgeRequest,
  nowMs: number,
): readonly string[] {
  const gone: Pick<RunRecord, "runId" | "ordinal" | "lastSequence">[] = [];
  let events = 0;
  for (const run of sql.selectFinished.iterate(nowMs - finishedForMs, limit) as Iterable<
    (typeof gone)[number]
  >) {
    gone.push(run);
    events += run.lastSequence;
    if (events >= PURGE_EVENTS) break;
  }
  for (const { ordinal } of gone) sql.deleteRun.run(ordinal);
  return gone.map(({ runId }) => runId);
}
