import {
  eventBytes,
  type ReadQuery,
  type ReadResult,
  type StoredEvent,
} from "@tm/run-events-core/store";
import { runDamaged } from "../failure.ts";
import type { Query } from "../query.ts";
import type { Statements } from "../statements.ts";
import type { Tables } from "../tables.ts";
import {
  type BigintColumn,
  headColumns,
  headOf,
  type HeadRow,
  inHeadColumns,
  ON_PRIMARY,
} from "./columns.ts";

/**
 * Heads and pages of many runs. $1-$6 are columns of queries: owner, run id, since, limit, bytes, with metadata. A run's head has sequence
 * 0, and the rows of its events follow. They share columns, since each column costs every row: an event's type is in the status column,
 * its payload in the metadata column.
 */
export function readStatement({ runs, events }: Tables): string {
  return `
WITH head AS MATERIALIZED (
  SELECT q.at, q.since, q.max_events, q.max_bytes, q.with_metadata, r.*
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[])
    WITH ORDINALITY AS q (query_owner_id, query_run_id, since, max_events, max_bytes, with_metadata, at)
  JOIN ${runs} r ON r.owner_id = q.query_owner_id AND r.run_id = q.query_run_id AND ${ON_PRIMARY}
)
SELECT h.at, 0 AS sequence, ${headColumns("h")}, CASE WHEN h.with_metadata THEN h.metadata END AS metadata
FROM head h
UNION ALL
SELECT h.at, e.sequence, ${inHeadColumns({ runStatus: "e.event_type", updatedAtMs: "e.created_at_ms" })}, e.payload
FROM head h CROSS JOIN LATERAL (
  SELECT sequence, created_at_ms, event_type, payload,
    sum(octet_length(payload) + ${eventBytes(0)}) OVER (ORDER BY sequence) AS bytes
  FROM ${events}
  WHERE run_key = h.run_key AND sequence > h.since AND sequence <= h.since + h.max_events
) e
WHERE h.since < h.last_sequence AND (e.bytes <= h.max_bytes OR e.sequence = h.since + 1)
ORDER BY at, sequence`;
}

/** An event in a head's columns. */
interface EventRow {
  /** The event's type. */
  readonly runStatus: string;
  /** Its payload. */
  readonly metadata: string;
  readonly updatedAtMs: BigintColumn;
}

type PageRow = { readonly at: BigintColumn; readonly sequence: BigintColumn } & (
  | HeadRow
  | EventRow
);

/**
 * Reads the heads and pages of many runs in one statement, and so at one point in time.
 * @returns one answer a query, `null` where the run does not exist
 * @throws RunEventsError `store_unavailable` for a page that lacks an event
 * @see clauses S9 and S12 in `STORE.md`
 */
export async function readPages(
  query: Query,
  sql: Statements,
  queries: readonly ReadQuery[],
): Promise<readonly (ReadResult | null)[]> {
  const rows = (await query(sql.read, [
    queries.map(({ ownerId }) => ownerId),
    queries.map(({ runId }) => runId),
    queries.map(({ since }) => since),
    queries.map(({ limit }) => limit),
    queries.map(({ maxBytes }) => maxBytes),
    queries.map(({ wantsMetadata = false }) => wantsMetadata),
  ])) as readonly PageRow[];
  const results: (ReadResult | null)[] = queries.map(() => null);
  let events: StoredEvent[] = [];
  for (const row of rows) {
    if (isHead(row)) {
      events = [];
      results[Number(row.at) - 1] = { head: headOf(row), events };
    } else {
      const { runStatus: eventType, metadata: payload } = row;
      const sequence = Number(row.sequence);
      events.push({ sequence, eventType, payload, createdAtMs: Number(row.updatedAtMs) });
    }
  }
  results.forEach((result, at) => checkPage(result, queries[at]));
  return results;
}

/**
 * Compares a page with the run's head. Without this, a shorter page, or one with a gap, would seem complete.
 * @see clause S9 in `STORE.md`
 */
function checkPage(page: ReadResult | null, query: ReadQuery | undefined): void {
  const { since = 0, limit = 0 } = query ?? {};
  if (page === null || limit === 0 || since >= page.head.lastSequence) return;
  const missing = page.events.findIndex(({ sequence }, at) => sequence !== since + at + 1);
  if (missing === -1 && page.events.length > 0) return;
  const sequence = since + Math.max(missing, 0) + 1;
  throw runDamaged(
    `ends with event ${page.head.lastSequence}, but event ${sequence} is missing, or hidden by row-level security`,
  );
}

function isHead(row: PageRow): row is PageRow & HeadRow {
  return Number(row.sequence) === 0;
}
