import { isTerminal } from "@tm/run-events-core";
import {
  isListed,
  listedStatuses,
  type ListQuery,
  type RunRecord,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { dropListEntry, isNewOrdinal, type ListEntry } from "./list-entries.ts";
import { entriesBelow } from "./scripts/entries-below.ts";
import { readHead } from "./scripts/read-head.ts";

/**
 * An owner's runs, newest first: the entries of its list that their runs confirm. Entries that can never be right again are
 * removed.
 * @see clauses S12 and S25 in `STORE.md`, clauses W14 and W34 in `WIRE.md`
 */
export async function listRuns(
  connection: Connection,
  query: ListQuery,
): Promise<readonly RunRecord[]> {
  const { ownerId, topic = null, limit } = query;
  const statuses = listedStatuses(query.runStatus);
  const listed: RunRecord[] = [];
  let below = query.before ?? Number.MAX_SAFE_INTEGER;
  for (;;) {
    const { runs, nowMicros } = await entriesBelow(connection, {
      ownerId,
      topic,
      statuses,
      below,
      limit,
    });
    const heads = await Promise.all(runs.map(([{ runId }]) => readHead(connection, runId)));
    runs.forEach((ofRun, index) => {
      const head = heads[index] ?? null;
      for (const entry of ofRun) {
        if (isVoid(entry, head, nowMicros)) dropListEntry(connection, entry);
      }
      if (head?.ordinal !== ofRun[0].ordinal || listed.length === limit) return;
      if (isListed(head, query)) listed.push(head);
    });
    const last = runs.at(-1);
    if (last === undefined || runs.length < limit || listed.length === limit) return listed;
    below = last[0].ordinal;
  }
}

/** Whether an entry can never be right again: statuses only go forward. */
function isVoid(entry: ListEntry, head: RunRecord | null, nowMicros: number): boolean {
  if (head?.ordinal !== entry.ordinal) return !isNewOrdinal(entry.ordinal, nowMicros / 1_000);
  if (head.runStatus === entry.runStatus) return false;
  return entry.runStatus === "queued" || isTerminal(head.runStatus);
}
