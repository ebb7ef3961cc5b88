import type { ReadQuery, ReadResult, StoredEvent } from "@tm/run-events-core/store";
import { runDamaged } from "./failure.ts";
import type { Query } from "./query.ts";
import { type BigintColumn, type RunRow, runOf } from "./rows.ts";
import type { Statements } from "./statements.ts";

interface HeadRow extends RunRow {
  readonly phaseAtSince: string | null;
}

/** An event in a run's columns. */
interface EventRow {
  /** The event's type. */
  readonly runStatus: string;
  /** Its payload. */
  readonly metadata: string;
  readonly createdAtMs: BigintColumn;
}

type PageRow = { readonly at: BigintColumn; readonly sequence: BigintColumn } & (
  | HeadRow
  | EventRow
);

/**
 * Reads the heads and pages of many runs in one statement, and so at one point in time.
 * @returns one answer a query, `null` where there is no such run
 * @throws RunEventsError `store_unavailable` for a page that lacks an event
 * @see S9, S12
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
  ])) as readonly PageRow[];
  const results: (ReadResult | null)[] = queries.map(() => null);
  let events: StoredEvent[] = [];
  for (const row of rows) {
    if (isHead(row)) {
      events = [];
      results[Number(row.at) - 1] = { run: runOf(row), phaseAtSince: row.phaseAtSince, events };
    } else {
      const { runStatus: eventType, metadata: payload } = row;
      const sequence = Number(row.sequence);
      events.push({ sequence, eventType, payload, createdAtMs: Number(row.createdAtMs) });
    }
  }
  results.forEach((result, at) => checkPage(result, queries[at]?.since ?? 0));
  return results;
}

/** The run's head says how far its log goes: otherwise a shorter page, or one with a gap, would look complete. @see S9 */
function checkPage(page: ReadResult | null, since: number): void {
  if (page === null || since >= page.run.lastSequence) return;
  const missing = page.events.findIndex(({ sequence }, at) => sequence !== since + at + 1);
  if (missing === -1 && page.events.length > 0) return;
  const sequence = since + Math.max(missing, 0) + 1;
  throw runDamaged(
    `ends with event ${page.run.lastSequence}, but event ${sequence} is missing, or hidden by row-level security`,
  );
}

function isHead(row: PageRow): row is PageRow & HeadRow {
  return Number(row.sequence) === 0;
}
