import { listedStatuses, type ListQuery, type RunRecord } from "@tm/run-events-core/store";
import type { Query } from "../query.ts";
import type { Tables } from "../tables.ts";
import { ON_PRIMARY, runColumns, type RunRow, runOf } from "./columns.ts";

/** The statements of lists, by what they ask for: the runs of any topic or of one, and all of them, those of one status, or the live ones. */
export type ListStatements = Readonly<
  Record<
    "listRuns" | "listStatus" | "listLive" | "listTopic" | "listTopicStatus" | "listTopicLive",
    string
  >
>;

/** Creates the statements. $1 is the owner, $2 the ordinal before which, $3 how many, $4 whether with metadata; then follow the topic and the statuses. */
export function listStatements({ runs }: Tables): ListStatements {
  const newest = (condition: string): string => `
SELECT * FROM ${runs} WHERE owner_id = $1 AND run_key < $2${condition} AND ${ON_PRIMARY}
ORDER BY run_key DESC LIMIT $3`;
  const list = (keys: string): string => `
SELECT ${runColumns("r", "CASE WHEN $4::boolean THEN r.metadata ELSE '' END")} FROM (${keys}) r ORDER BY run_key DESC LIMIT $3`;
  const one = (topic: string, at: number): string => newest(`${topic} AND run_status = $${at}`);
  // Each status is read newest first from the index, and then the newest of all.
  const live = (topic: string, from: number): string =>
    listedStatuses("live")
      .map((_, at) => `(${one(topic, from + at)})`)
      .join(" UNION ALL ");
  const topic = " AND topic = $5";
  return {
    listRuns: list(newest("")),
    listStatus: list(one("", 5)),
    listLive: list(live("", 5)),
    listTopic: list(newest(topic)),
    listTopicStatus: list(one(topic, 6)),
    listTopicLive: list(live(topic, 6)),
  };
}

/**
 * An owner's runs, newest first, from an index for each kind of query.
 * @see clauses S12 and S25 in `STORE.md`
 */
export async function listRuns(
  query: Query,
  sql: ListStatements,
  { ownerId, runStatus, topic = null, before, limit, withMetadata = true }: ListQuery,
): Promise<readonly RunRecord[]> {
  const subject = topic === null ? [] : [topic];
  const statuses = runStatus === null ? [] : listedStatuses(runStatus);
  const range = [ownerId, before ?? Number.MAX_SAFE_INTEGER, limit, withMetadata];
  const values = [...range, ...subject, ...statuses];
  const rows = await query(sql[nameOf(runStatus, topic)], values);
  return (rows as readonly RunRow[]).map(runOf);
}

function nameOf(runStatus: ListQuery["runStatus"], topic: string | null): keyof ListStatements {
  if (runStatus === null) return topic === null ? "listRuns" : "listTopic";
  if (runStatus === "live") return topic === null ? "listLive" : "listTopicLive";
  return topic === null ? "listStatus" : "listTopicStatus";
}
