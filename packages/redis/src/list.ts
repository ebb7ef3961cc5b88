import { isTerminal } from "@tm/run-events-core";
import {
  isListed,
  listedStatuses,
  type ListQuery,
  type RunRecord,
} from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { dropListEntries, isNewOrdinal, type ListEntry } from "./list-entries.ts";
import { entriesBelow } from "./scripts/entries-below.ts";
import { readVisitor } from "./scripts/read-head.ts";

/**
 * An owner's runs, newest first: the entries of its list that their runs confirm. Entries that can never be right again are
 * removed.
 * @see clauses S12 and S25 in `STORE.md`, clauses W14 and W34 in `WIRE.md`
 */
export async function listRuns(
  connection: Connection,
  query: ListQuery,
): Promise<readonly RunRecord[]> {
  const { ownerId, topic = null, limit, withMetadata = true } = query;
  const statuses = listedStatuses(query.runStatus);
  const listed: RunRecord[] = [];
  let below = query.before ?? Number.MAX_SAFE_INTEGER;
  for (;;) {
    const { runs, next, nowMicros } = await entriesBelow(connection, {
      ownerId,
      topic,
      statuses,
      below,
      limit,
    });
    const visitors = await Promise.all(
      runs.map(([{ runId }]) => readVisitor(connection, runId, withMetadata)),
    );
    runs.forEach((ofRun, index) => {
      const visitor = visitors[index] ?? null;
      for (const entry of ofRun) {
        if (isVoid(entry, visitor, nowMicros)) dropListEntries(connection, [entry]);
      }
      const { head } = visitor ?? {};
      if (head?.ordinal !== ofRun[0].ordinal || listed.length === limit) return;
      if (isListed(head, query)) listed.push(head);
    });
    if (next === null || listed.length === limit) return listed;
    below = next;
  }
}

/**
 * Whether an entry can never be right again: a run comes to a status only once, except to the running and the waiting one by another
 * visit each time.
 */
function isVoid(
  entry: ListEntry,
  visitor: Awaited<ReturnType<typeof readVisitor>>,
  nowMicros: number,
): boolean {
  if (visitor?.head.ordinal !== entry.ordinal)
    return !isNewOrdinal(entry.ordinal, nowMicros / 1_000);
  const { runStatus } = visitor.head;
  const isOlder = !isTerminal(entry.runStatus) && entry.visit < visitor.visits;
  if (runStatus === entry.runStatus) return isOlder;
  return entry.runStatus === "queued" || isTerminal(runStatus) || isOlder;
}
