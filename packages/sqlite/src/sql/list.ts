import {
  listedStatuses,
  type OwnerQuery,
  type RunName,
  type SyncRows,
} from "@tm/run-events-core/store";
import { prepareStatement, type Statement } from "../handle.ts";
import type { SqliteDatabase, SqliteValue } from "../driver.ts";
import type { Tables } from "../tables.ts";
import { HEAD_COLUMNS, type HeadRow, headOfRow } from "./columns.ts";

/** Lists of the runs in any status, in one, or of the live ones. */
interface Lists {
  readonly all: Statement;
  readonly one: Statement;
  readonly live: Statement;
}

/**
 * Prepares the list of an owner's runs, from an index for each kind of query. The rows come oldest first, since SQLite finds the next
 * row at once, but the previous one only through the whole depth of the tree.
 * @see clauses S12 and S23 in `STORE.md`
 */
export function prepareList(
  db: SqliteDatabase,
  { runs }: Tables,
): Pick<SyncRows, "selectOwned" | "selectHolder"> {
  // The runs of several statuses are merged from their indexes, so that none is read beyond the limit.
  const list = (...conditions: readonly string[]): Statement => {
    const branches = conditions.map(
      (condition) =>
        `SELECT run_key FROM ${runs} WHERE owner_id = +? AND run_key < +? ${condition}`,
    );
    return prepareStatement(
      db,
      `SELECT ${HEAD_COLUMNS} FROM ${runs} WHERE run_key IN (
         ${branches.join(" UNION ALL ")} ORDER BY run_key DESC LIMIT ? + 0)
       ORDER BY run_key`,
    );
  };
  const prepare = (topic: string): Lists => {
    const status = `${topic} AND run_status = +?`;
    return {
      all: list(topic),
      one: list(status),
      live: list(...listedStatuses("live").map(() => status)),
    };
  };
  const ofAnyTopic = prepare("");
  const ofTopic = prepare("AND topic = +?");
  const selectOwned = (query: OwnerQuery): readonly HeadRow[] => {
    const { runStatus, topic } = query;
    const lists = topic === null ? ofAnyTopic : ofTopic;
    return (lists[kindOf(runStatus)].all(...valuesOf(query)) as HeadRow[]).toReversed();
  };
  return {
    selectOwned: (query) => selectOwned(query).map(headOfRow),
    selectHolder(ownerId, topic): RunName | null {
      const query = { ownerId, topic, runStatus: "live", before: null, limit: 1 } as const;
      return selectOwned(query)[0] ?? null;
    },
  };
}

function kindOf(runStatus: OwnerQuery["runStatus"]): keyof Lists {
  if (runStatus === null) return "all";
  return runStatus === "live" ? "live" : "one";
}

function valuesOf({
  ownerId,
  before,
  topic,
  runStatus,
  limit,
}: OwnerQuery): readonly SqliteValue[] {
  const range = [ownerId, before ?? Number.MAX_SAFE_INTEGER, ...(topic === null ? [] : [topic])];
  if (runStatus === null) return [...range, limit];
  return [...listedStatuses(runStatus).flatMap((status) => [...range, status]), limit];
}
