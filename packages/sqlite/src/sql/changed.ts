import {
  type ChangedScope,
  DEPARTURES_MS,
  type DeparturesQuery,
  FORGOTTEN_EACH,
  listedStatuses,
  type RowMoves,
  type RunPosition,
} from "@tm/run-events-core/store";
import { prepareStatement, type Statement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import type { Tables } from "../tables.ts";

/**
 * What `listChanged` needs. One transaction writes at a time, so the keys of departures come in the order of commits. None comes again,
 * since the newest departure stays until there is a newer one.
 */
type ChangeMoves = Pick<RowMoves, "insertDepartures" | "selectDepartures" | "selectLive">;

/** A mark: when the tables were made, which names them, and the key of a departure. */
const MARK = /^([0-9a-z]+)_(\d{1,16})$/;

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
  // Only the oldest are looked at.
  const forget = prepareStatement(
    db,
    `DELETE FROM ${departures}
     WHERE departure_key < (SELECT min(departure_key) FROM ${departures}) + ? AND departed_at_ms < +?`,
  );
  const newest = prepareStatement(
    db,
    `SELECT applied_at_ms AS madeAtMs, coalesce((SELECT max(departure_key) FROM ${departures}), 0) AS lastKey
     FROM ${schema} WHERE migration = 1`,
  );
  const select = (topic: string): Statement =>
    prepareStatement(
      db,
      `SELECT departure_key AS key, run_id AS runId FROM ${departures}
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
      const { madeAtMs, lastKey } = newest.get() as NewestRow;
      const name = madeAtMs.toString(36);
      const [, ofName, key = ""] = MARK.exec(query.since ?? "") ?? [];
      const isKnown = ofName === name && Number(key) <= lastKey;
      const found = isKnown ? selectAfter(query, Number(key)) : [];
      return {
        isKnown,
        departures: found.map((row) => ({ runId: row.runId, mark: `${name}_${row.key}` })),
        hasMore: found.length === query.limit,
        mark: `${name}_${lastKey}`,
        nowMs: Date.now(),
      };
    },
    selectLive: prepareLive(db, tables),
  };
}

interface DepartureRow {
  readonly key: number;
  readonly runId: string;
}

interface NewestRow {
  readonly madeAtMs: number;
  readonly lastKey: number;
}

/** Prepares the positions of live runs, from the index of their statuses. */
function prepareLive(db: SqliteDatabase, { runs }: Tables): ChangeMoves["selectLive"] {
  const select = (topic: string): Statement =>
    prepareStatement(
      db,
      listedStatuses("live")
        .map(
          () =>
            `SELECT run_id AS runId, run_key AS ordinal, last_sequence AS lastSequence FROM ${runs}
             WHERE owner_id = +? ${topic} AND run_status = +?`,
        )
        .join(" UNION ALL "),
    );
  const ofOwner = select("");
  const ofTopic = select("AND topic = +?");
  return ({ ownerId, topic }: ChangedScope) => {
    const asked = topic === null ? [ownerId] : [ownerId, topic];
    const values = listedStatuses("live").flatMap((status) => [...asked, status]);
    return (topic === null ? ofOwner : ofTopic).all(...values) as RunPosition[];
  };
}
