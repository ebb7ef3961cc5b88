import {
  createPageCut,
  eventBytes,
  type ReadQuery,
  type RowMoves,
  type StoredEvent,
} from "@tm/run-events-core/store";
import { prepareStatement, type Statement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";

/** How many rows are read first, while the size of this run's events is not known. */
const FIRST_ROWS = 16;
/** The most rows of one piece. */
const MOST_ROWS = 1_000;
/** The largest payload that is read before it is known whether the page holds it, in bytes. */
const SMALL_BYTES = 4_096;

interface LargeRow extends StoredEvent {
  readonly payloadBytes: number;
}

/** With `null` for a payload of more than `SMALL_BYTES`. */
interface SmallRow extends Omit<LargeRow, "payload"> {
  readonly payload: string | null;
}

/**
 * Prepares the statements that read a log.
 * @see clauses S9 and S12 in `STORE.md`
 */
export function prepareRead(
  db: SqliteDatabase,
  { events }: Tables,
): Pick<RowMoves, "selectEvents"> {
  const selectEvents = (payload: string, limit: string): Statement =>
    prepareStatement(
      db,
      `SELECT sequence, event_type AS eventType, ${payload}, created_at_ms AS createdAtMs,
         octet_length(payload) AS payloadBytes
       FROM ${events} WHERE run_key = +? AND sequence > +? ORDER BY sequence LIMIT ${limit}`,
    );
  const smallOnly = "CASE WHEN octet_length(payload) <= ? THEN payload END AS payload";
  const small = selectEvents(smallOnly, "? + 0");
  const large = selectEvents("payload", "1");
  return { selectEvents: (ordinal, page) => readEvents(small, large, ordinal, page) };
}

/**
 * Reads rows in pieces. A piece has as many rows as the page can hold if they are like those before. From the first large row on, rows are
 * read one by one, so that at most one is read needlessly. No statement is left half read: a Durable Object has no way to end it.
 */
function readEvents(
  small: Statement,
  large: Statement,
  ordinal: number,
  { since, limit, maxBytes }: Pick<ReadQuery, "since" | "limit" | "maxBytes">,
): readonly StoredEvent[] {
  const belongs = createPageCut(limit, maxBytes);
  const events: StoredEvent[] = [];
  let bytes = 0;
  let piece = Math.min(limit, FIRST_ROWS);
  for (;;) {
    const rows = small.all(SMALL_BYTES, ordinal, since + events.length, piece) as SmallRow[];
    for (const { sequence, eventType, payload, createdAtMs, payloadBytes } of rows) {
      if (payload === null) {
        for (let last = sequence - 1; events.length < limit;) {
          const row = large.get(ordinal, last) as LargeRow | undefined;
          if (row === undefined || !belongs(row.payloadBytes)) break;
          events.push(eventOf(row));
          last = row.sequence;
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

function eventOf({ sequence, eventType, payload, createdAtMs }: LargeRow): StoredEvent {
  return { sequence, eventType, payload, createdAtMs };
}
