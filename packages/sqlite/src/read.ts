import {
  createPageCut,
  eventBytes,
  type ReadQuery,
  type ReadResult,
  type RunRecord,
  type StoredEvent,
} from "@tm/run-events-core/store";
import { selectRun } from "./runs.ts";
import type { Statements } from "./statements.ts";

/** What is read at first, before it is known how large this run's events are. */
const FIRST_ROWS = 16;
/** The most rows of one piece. */
const MOST_ROWS = 1_000;
/** The largest payload that is read before it is known whether the page holds it, in bytes. */
const SMALL_BYTES = 4_096;

interface EventRow extends StoredEvent {
  readonly payloadBytes: number;
}

/** A row of `selectSmallEvents`. */
interface SmallEventRow extends Omit<EventRow, "payload"> {
  readonly payload: string | null;
}

/** Reads a run's head and a page of its events, inside a transaction that holds both still. @see S9, S12 */
export function readPage(sql: Statements, query: ReadQuery): ReadResult | null {
  const { runId, ownerId, since } = query;
  const run = selectRun(sql, runId);
  if (run === null || (ownerId !== null && ownerId !== run.ownerId)) return null;
  const events = since < run.lastSequence ? readEvents(sql, run.ordinal, query) : [];
  return { run, phaseAtSince: phaseAt(sql, run, since), events };
}

/**
 * Reads rows in pieces, each of as many as the page will hold if they are like those before: by `iterate` a row takes 0.28 µs
 * more, half as much again (`pnpm bench replay`). What may be large is read by `iterate`, so that no more than one row is
 * read in vain.
 */
function readEvents(
  sql: Statements,
  ordinal: number,
  { since, limit, maxBytes }: ReadQuery,
): readonly StoredEvent[] {
  const belongs = createPageCut(limit, maxBytes);
  const events: StoredEvent[] = [];
  let bytes = 0;
  let piece = Math.min(limit, FIRST_ROWS);
  for (;;) {
    const from = since + events.length;
    const rows = sql.selectSmallEvents.all(SMALL_BYTES, ordinal, from, piece) as SmallEventRow[];
    for (const { sequence, eventType, payload, createdAtMs, payloadBytes } of rows) {
      if (payload === null) {
        const left = limit - events.length;
        for (const row of sql.selectEvents.iterate(
          ordinal,
          sequence - 1,
          left,
        ) as Iterable<EventRow>) {
          // Leaving the loop resets the statement, so that it holds no snapshot past the transaction.
          if (!belongs(row.payloadBytes)) break;
          events.push(eventOf(row));
        }
        return events;
      }
      if (!belongs(payloadBytes)) return events;
      bytes += eventBytes(payloadBytes);
      events.push({ sequence, eventType, payload, createdAtMs });
    }
    if (rows.length < piece || events.length === limit) return events;
    const expected = Math.ceil(((maxBytes - bytes) * events.length) / bytes);
    piece = Math.max(1, Math.min(expected, limit - events.length, MOST_ROWS));
  }
}

function eventOf({ sequence, eventType, payload, createdAtMs }: EventRow): StoredEvent {
  return { sequence, eventType, payload, createdAtMs };
}

function phaseAt(sql: Statements, run: RunRecord, since: number): string | null {
  if (run.phase === null || since === 0) return null;
  if (since >= run.lastSequence) return run.phase;
  const row = sql.selectPhase.get(run.ordinal, since) as { readonly phase: string } | undefined;
  return row?.phase ?? null;
}
