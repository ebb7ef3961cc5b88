import {
  eventBytes,
  type ReadQuery,
  type ReadResult,
  type StoredEvent,
} from "@tm/run-events-core/store";
import { runDamaged } from "../failure.ts";
import type { Query } from "../query.ts";
import type { Statements } from "./statements.ts";
import type { Tables } from "../tables.ts";
import { type BigintColumn, ON_PRIMARY, runColumns, type RunRow, runOf } from "./columns.ts";

/**
 * Heads and pages of many runs. $1-$6 are columns of queries: run id, owner, since, limit, bytes, with time. A run's head has sequence
 * 0, and the rows of its events follow. They share columns, since each column costs every row: an event's type is in the status column,
 * its payload in the metadata column. In place of 0 a head may have the negative time of the event `since`. The head has the time of
 * the last event, so only an earlier one is looked up.
 */
export function readStatement(tables: Tables): string {
  const { runs, events } = tables;
  return `
WITH head AS MATERIALIZED (
  SELECT q.at, q.since, q.max_events, q.max_bytes, q.with_time, r.*
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[])
    WITH ORDINALITY AS q (query_run_id, query_owner_id, since, max_events, max_bytes, with_time, at)
  JOIN ${runs} r ON r.run_id = q.query_run_id AND (q.query_owner_id IS NULL OR r.owner_id = q.query_owner_id)
    AND ${ON_PRIMARY}
)
SELECT h.at, CASE WHEN h.with_time AND h.since BETWEEN 1 AND h.last_sequence THEN -CASE
    WHEN h.since = h.last_sequence THEN h.updated_at_ms
    ELSE coalesce((SELECT created_at_ms FROM ${events} WHERE run_key = h.run_key AND sequence = h.since), 0) END
  ELSE 0 END AS sequence, ${runColumns("h")}
FROM head h
UNION ALL
SELECT h.at, e.sequence, NULL, NULL, e.event_type, NULL, NULL, NULL, e.created_at_ms, NULL, NULL, e.payload, NULL, NULL, NULL, NULL, NULL
FROM head h CROSS JOIN LATERAL (
  SELECT sequence, created_at_ms, event_type, payload,
    sum(octet_length(payload) + ${eventBytes(0)}) OVER (ORDER BY sequence) AS bytes
  FROM ${events}
  WHERE run_key = h.run_key AND sequence > h.since AND sequence <= h.since + h.max_events
) e
WHERE h.since < h.last_sequence AND (e.bytes <= h.max_bytes OR e.sequence = h.since + 1)
ORDER BY at, sequence`;
}

/** An event in a run's columns. */
interface EventRow {
  /** The event's type. */
  readonly runStatus: string;
  /** Its payload. */
  readonly metadata: string;
  readonly createdAtMs: BigintColumn;
}

type PageRow = { readonly at: BigintColumn; readonly sequence: BigintColumn } & (RunRow | EventRow);

/**
 * Reads the heads and pages of many runs in one statement, and so at one point in time.
 * @returns one answer a query, `null` where the run does not exist
 * @throws RunEventsError `store_unavailable` for a page that lacks an event
 * @see clauses S9, S12 and S30 in `STORE.md`
 */
export async function readPages(
  query: Query,
  sql: Statements,
  queries: readonly ReadQuery[],
): Promise<readonly (ReadResult | null)[]> {
  const rows = (await query(sql.read, [
    queries.map(({ runId }) => runId),
    queries.map(({ ownerId }) => ownerId),
    queries.map(({ since }) => since),
    queries.map(({ limit }) => limit),
    queries.map(({ maxBytes }) => maxBytes),
    queries.map(({ withTime = false }) => withTime),
  ])) as readonly PageRow[];
  const results: (ReadResult | null)[] = queries.map(() => null);
  let events: StoredEvent[] = [];
  for (const row of rows) {
    if (isHead(row)) {
      events = [];
      const at = Number(row.at) - 1;
      const page = { run: runOf(row), events };
      const withTime = queries[at]?.withTime === true;
      results[at] = withTime ? { ...page, timeAtSinceMs: -Number(row.sequence) || null } : page;
    } else {
      const { runStatus: eventType, metadata: payload } = row;
      const sequence = Number(row.sequence);
      events.push({ sequence, eventType, payload, createdAtMs: Number(row.createdAtMs) });
    }
  }
  results.forEach((result, at) => checkPage(result, queries[at]?.since ?? 0));
  return results;
}

/**
 * Compares a page with the run's head. Without this, a shorter page, or one with a gap, would seem complete.
 * @see clause S9 in `STORE.md`
 */
function checkPage(page: ReadResult | null, since: number): void {
  if (page === null || since >= page.run.lastSequence) return;
  const missing = page.events.findIndex(({ sequence }, at) => sequence !== since + at + 1);
  if (missing === -1 && page.events.length > 0) return;
  const sequence = since + Math.max(missing, 0) + 1;
  throw runDamaged(
    `ends with event ${page.run.lastSequence}, but event ${sequence} is missing, or hidden by row-level security`,
  );
}

function isHead(row: PageRow): row is PageRow & RunRow {
  return Number(row.sequence) <= 0;
}
