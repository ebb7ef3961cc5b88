import { createPageCut, type StoredEvent, type SyncRows } from "@tm/run-events-core/store";
import { prepareStatement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";

/**
 * Prepares the statements that read a log: the first finds how many events the page holds, from the headers of their rows, so that no payload
 * is read in vain. No statement is left half read: a Durable Object has no way to end it.
 * @see clauses S9 and S12 in `STORE.md`
 */
export function prepareRead(
  db: SqliteDatabase,
  { events }: Tables,
): Pick<SyncRows, "selectEvents"> {
  const following = `FROM ${events} WHERE run_key = +? AND sequence > +? ORDER BY sequence LIMIT ? + 0`;
  const sizes = prepareStatement(db, `SELECT octet_length(payload) AS bytes ${following}`);
  const select = prepareStatement(
    db,
    `SELECT sequence, event_type AS eventType, payload, created_at_ms AS createdAtMs ${following}`,
  );
  return {
    selectEvents(ordinal, { since, limit, maxBytes }) {
      const belongs = createPageCut(limit, maxBytes);
      const sized = sizes.all(ordinal, since, limit) as readonly { readonly bytes: number }[];
      const cut = sized.findIndex(({ bytes }) => !belongs(bytes));
      const count = cut === -1 ? sized.length : cut;
      const rows = select.all(ordinal, since, count) as readonly StoredEvent[];
      // Rows of node:sqlite have no prototype.
      return rows.map((row) => ({ ...row }));
    },
  };
}
