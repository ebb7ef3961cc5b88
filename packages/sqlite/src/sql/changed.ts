import {
  type ChangedScope,
  DEPARTURES_MS,
  type DeparturesQuery,
  FORGOTTEN_EACH,
  listedStatuses,
  type LivePosition,
  type RowMoves,
} from "@tm/run-events-core/store";
import { prepareStatement, type Statement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";

/**
 * What `listChanged` needs. One transaction writes at a time, so the keys of departures are in the order of commits. The newest departure
 * stays until there is a newer one. So the same key can come again only after a restored backup, and then has another time.
 */
type ChangeMoves = Pick<RowMoves, "insertDepartures" | "selectDepartures" | "selectLive">;

/** A mark: when the tables were made, which names them; the key of a departure; and its time. Key and time are 0 before the first departure. */
const MARK = /^([0-9a-z]{1,11})_(\d{1,15})_([0-9a-z]{1,11})$/;

/**
 * Prepares the moves of `listChanged`.
 * @see clause S29 in `STORE.md`
 */
export function prepareChanged(db: SqliteDatabase, tables: Tables): ChangeMoves {
  const { departures, schema } = tables;
  const insert = prepareStatement(
    db,
    `INSERT INTO ${departures} (owner_id, topic, run_id, departed_at_ms) VALUES (?, ?, ?, ?)`,
  );
  // Looks only at the oldest. A departure stays as long as a good cursor may have its mark: until a later departure is old, too. No
  // departure goes before one with a smaller key, even if the clock was set: so if a departure is there, none after it was forgotten.
  const forget = prepareStatement(
    db,
    `DELETE FROM ${departures} WHERE departure_key < (
       SELECT max(departure_key) FROM ${departures}
       WHERE departure_key <= (SELECT min(departure_key) FROM ${departures}) + ? AND departed_at_ms < +?)`,
  );
  const newest = prepareStatement(
    db,
    `SELECT applied_at_ms AS madeAtMs, coalesce(d.departure_key, 0) AS key, coalesce(d.departed_at_ms, 0) AS atMs,
       EXISTS (SELECT 1 FROM ${departures} WHERE departure_key = ? AND departed_at_ms = ?) AS isThere,
       coalesce((SELECT min(departure_key) FROM ${departures}), 1) AS firstKey
     FROM ${schema} LEFT JOIN ${departures} d ON d.departure_key = (SELECT max(departure_key) FROM ${departures})
     WHERE migration = 1`,
  );
  const select = (topic: string): Statement =>
    prepareStatement(
      db,
      `SELECT departure_key AS key, run_id AS runId, departed_at_ms AS atMs FROM ${departures}
       WHERE owner_id = +? AND departure_key > +? ${topic} ORDER BY departure_key LIMIT ? + 0`,
    );
  const ofOwner = select("");
  const ofTopic = select("AND topic = +?");

  function selectAfter({ ownerId, topic, limit }: DeparturesQuery, key: number): DepartureRow[] {
    const rows =
      topic === null ? ofOwner.all(ownerId, key, limit) : ofTopic.all(ownerId, key, topic, limit);
    return rows as DepartureRow[];
  }

  return {
    insertDepartures(rows, nowMs) {
      forget.run(FORGOTTEN_EACH * rows.length, nowMs - DEPARTURES_MS);
      for (const { ownerId, topic, runId } of rows) insert.run(ownerId, topic, runId, nowMs);
    },
    selectDepartures(query) {
      const since = parseMark(query.since ?? "");
      const { madeAtMs, isThere, firstKey, ...last } = newest.get(
        since.key,
        since.atMs,
      ) as NewestRow;
      const name = madeAtMs.toString(36);
      const markOf = ({ key, atMs }: Place): string => `${name}_${key}_${atMs.toString(36)}`;
      const isKnown = since.name === name && (since.key === 0 ? firstKey === 1 : isThere === 1);
      const found = isKnown ? selectAfter(query, since.key) : [];
      return {
        isKnown,
        departures: found.map((row) => ({ runId: row.runId, mark: markOf(row) })),
        hasMore: found.length === query.limit,
        mark: markOf(last),
        nowMs: Date.now(),
      };
    },
    selectLive: prepareLive(db, tables),
  };
}

/** What identifies a departure. */
interface Place {
  readonly key: number;
  readonly atMs: number;
}

interface DepartureRow extends Place {
  readonly runId: string;
}

interface NewestRow extends Place {
  readonly madeAtMs: number;
  readonly isThere: 0 | 1;
  /** The key of the oldest departure; 1 before the first. */
  readonly firstKey: number;
}

/** Reads the mark of a departure, with the name of its tables. Any other text has no name. */
function parseMark(text: string): Place & { readonly name: string } {
  const [, name = "", key = "0", atMs = "0"] = MARK.exec(text) ?? [];
  return { name, key: Number(key), atMs: Number.parseInt(atMs, 36) };
}

/** Prepares the positions of live runs, from the index of their statuses. */
function prepareLive(db: SqliteDatabase, { runs }: Tables): ChangeMoves["selectLive"] {
  const select = (topic: string): Statement =>
    prepareStatement(
      db,
      listedStatuses("live")
        .map(
          () =>
            `SELECT run_id AS runId, run_key AS ordinal, last_sequence AS lastSequence, updated_at_ms AS updatedAtMs FROM ${runs}
             WHERE owner_id = +? ${topic} AND run_status = +?`,
        )
        .join(" UNION ALL "),
    );
  const ofOwner = select("");
  const ofTopic = select("AND topic = +?");
  return ({ ownerId, topic }: ChangedScope) => {
    const asked = topic === null ? [ownerId] : [ownerId, topic];
    const values = listedStatuses("live").flatMap((status) => [...asked, status]);
    return (topic === null ? ofOwner : ofTopic).all(...values) as LivePosition[];
  };
}
