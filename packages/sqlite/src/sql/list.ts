import {
  type HeadRow,
  listedStatuses,
  type ListQuery,
  type RowMoves,
} from "@tm/run-events-core/store";
import { prepareStatement, type Statement } from "../handle.ts";
import type { SqliteDatabase, SqliteValue } from "../driver.ts";
import type { Tables } from "../tables.ts";
import { RUN_COLUMNS } from "./columns.ts";

/**
 * Prepares the list of an owner's runs, from an index for each kind of query. The rows come oldest first, since SQLite finds the next
 * row at once, but the previous one only through the whole depth of the tree.
 * @see clause S12 in `STORE.md`
 */
export function prepareList(db: SqliteDatabase, { runs }: Tables): Pick<RowMoves, "selectOwned"> {
  const newest = (condition: string): string => `
    SELECT run_key FROM ${runs} WHERE owner_id = +? AND run_key < +? ${condition}
    ORDER BY run_key DESC LIMIT ? + 0`;
  const list = (...branches: readonly string[]): Statement => {
    // Of several statuses, each is read newest first, and then the newest of all.
    const keys =
      branches.length === 1
        ? branches.join("")
        : `SELECT run_key FROM (${branches.map((one) => `SELECT * FROM (${one})`).join(" UNION ALL ")})
           ORDER BY run_key DESC LIMIT ? + 0`;
    return prepareStatement(
      db,
      `SELECT ${RUN_COLUMNS} FROM ${runs} WHERE run_key IN (${keys}) ORDER BY run_key`,
    );
  };
  const prepare = (topic: string): Record<"all" | "one" | "live", Statement> => ({
    all: list(newest(topic)),
    one: list(newest(`${topic} AND run_status = +?`)),
    live: list(...listedStatuses("live").map(() => newest(`${topic} AND run_status = +?`))),
  });
  const ofAnyTopic = prepare("");
  const ofTopic = prepare("AND topic = +?");
  return {
    selectOwned(query) {
      const { runStatus, topic = null } = query;
      const statements = topic === null ? ofAnyTopic : ofTopic;
      const statement = statements[kindOf(runStatus)];
      return (statement.all(...valuesOf(query)) as HeadRow[]).toReversed();
    },
  };
}

function kindOf(runStatus: ListQuery["runStatus"]): "all" | "one" | "live" {
  if (runStatus === null) return "all";
  return runStatus === "live" ? "live" : "one";
}

function valuesOf({
  ownerId,
  before,
  topic = null,
  runStatus,
  limit,
}: ListQuery): readonly SqliteValue[] {
  const range = [ownerId, before ?? Number.MAX_SAFE_INTEGER, ...(topic === null ? [] : [topic])];
  if (runStatus === null) return [...range, limit];
  const branches = listedStatuses(runStatus).flatMap((status) => [...range, status, limit]);
  return runStatus === "live" ? [...branches, limit] : branches;
}
