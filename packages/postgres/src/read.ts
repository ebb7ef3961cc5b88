import type { ReadQuery, ReadResult, StoredEvent } from "@tm/run-events-core";
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
  return results;
}

function isHead(row: PageRow): row is PageRow & HeadRow {
  return Number(row.sequence) === 0;
}
