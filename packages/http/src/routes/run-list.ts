import type { RunLog } from "@tm/run-events-core/wire";
import {
  createPageCut,
  type OwnerQuery,
  type RunRecord,
  utf8Bytes,
} from "@tm/run-events-core/store";
import { stopIfGone } from "../exchange/exchange.ts";
import type { Call } from "./route.ts";

/** Where a list is cut, in bytes of metadata and envelopes, as a page of events is. @see clause W14 in `WIRE.md` */
const LIST_BYTES = 4_194_304;
/** The number of runs that are read at a time. Each may have 256 KiB of metadata, so together they stay within the bound of a list. */
const RUNS_A_READ = 16;

/**
 * Reads a list of runs, cut at 4 MiB. It holds at least one run if one exists, and `next` continues after the last. Each read takes a turn
 * of the event loop, so that small requests come in between.
 * @param call `holding` counts the memory of the list as it grows
 * @throws RunEventsError `too_many_requests`, `store_unavailable`
 * @throws Error if the client has gone
 * @see clauses W14 and W49 in `WIRE.md`
 */
export async function readRunList(
  log: Pick<RunLog, "listRuns">,
  query: OwnerQuery,
  {
    exchange,
    holding,
    takeTurn,
  }: Pick<Call, "takeTurn"> & {
    readonly exchange: Pick<Call["exchange"], "isGone">;
    readonly holding: Pick<Call["holding"], "holdAnswer">;
  },
): ReturnType<RunLog["listRuns"]> {
  const fits = createPageCut(query.limit, LIST_BYTES);
  const runs: RunRecord[] = [];
  let bytes = 0;
  let { before }: { before: number | null } = query;
  for (;;) {
    const limit = Math.min(RUNS_A_READ, query.limit - runs.length);
    await takeTurn("short");
    const read = await log.listRuns({ ...query, before, limit });
    stopIfGone(exchange);
    for (const run of read.runs) {
      const metadataBytes = utf8Bytes(run.metadata);
      if (!fits(metadataBytes)) return { runs, next: runs.at(-1)?.ordinal ?? null };
      runs.push(run);
      bytes += metadataBytes;
    }
    holding.holdAnswer(bytes);
    if (read.next === null || runs.length === query.limit) return { runs, next: read.next };
    before = read.next;
  }
}
