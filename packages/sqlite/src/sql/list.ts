import {
  type HeadRow,
  listedStatuses,
  type ListQuery,
  type RowMoves,
} from "@tm/run-events-core/store";
import { prepareStatement, type Statement } from "../handle.ts";
import type { SqliteDatabase, SqliteValue } from "../driver.ts";
import type { Tables } from "../tables.ts";
import { runColumns } from "./columns.ts";

/** Lists of the runs in any status, in one, or of the live ones. */
interface Lists {
  readonly all: Statement;
  readonly one: Statement;
  readonly live: Statement;
}

/**
 * Prepares the list of an owner's runs, from an index for each kind of query. The rows come oldest first, since SQLite finds the next
 * row at once, but the previous one only through the whole depth of the tree.
 * @see clauses S12 and S25 in `STORE.md`
 */
export function prepareList(db: SqliteDatabase, { runs }: Tables): Pick<RowMoves, "selectOwned"> {
  // The runs of several statuses are merged from their indexes, so that none is read beyond the limit.
  const list = (...conditions: readonly string[]): Statement => {
    const branches = conditions.map(
      (condition) =>
        `SELECT run_key FROM ${runs} WHERE owner_id = +? AND run_key < +? ${condition}`,
    );
    return prepareStatement(
      db,
      `SELECT ${runColumns("CASE WHEN +? THEN metadata ELSE '' END")} FROM ${runs} WHERE run_key IN (
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
  return {
    selectOwned(query) {
      const { runStatus, topic = null } = query;
      const lists = topic === null ? ofAnyTopic : ofTopic;
      const rows = lists[kindOf(runStatus)].all(...valuesOf(query));
      return (rows as HeadRow[]).toReversed();
    },
  };
}

function kindOf(runStatus: ListQuery["runStatus"]): keyof Lists {
  if (runStatus === null) return "all";
  return runStatus === "live" ? "live" : "one";
}

function valuesOf({
  ownerId,
  before,
  topic = null,
  runStatus,
  limit,
  withMetadata = true,
}: ListQuery): readonly SqliteValue[] {
  const range = [ownerId, before ?? Number.MAX_SAFE_INTEGER, ...(topic === null ? [] : [topic])];
  const ranges =
    runStatus === null ? range : listedStatuses(runStatus).flatMap((status) => [...range, status]);
  return [withMetadata ? 1 : 0, ...ranges, limit];
}
