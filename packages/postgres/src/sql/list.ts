import {
  type DueQuery,
  type Head,
  listedStatuses,
  type OwnerQuery,
} from "@tm/run-events-core/store";
import type { Query } from "../query.ts";
import type { Tables } from "../tables.ts";
import { headColumns, headOf, type HeadRow, NOW_MS, ON_PRIMARY } from "./columns.ts";
import { newestRuns } from "./newest.ts";

/** The statements of lists, by what they ask for: due runs, the runs of any topic or of one, and all of them, those of one status, or the live ones. */
export type ListStatements = Readonly<
  Record<
    | "listDue"
    | "listRuns"
    | "listStatus"
    | "listLive"
    | "listTopic"
    | "listTopicStatus"
    | "listTopicLive",
    string
  >
>;

/** Creates the statements. $1 is the owner, $2 the ordinal before which, $3 how many; then follow the topic and the statuses. */
export function listStatements({ runs }: Tables): ListStatements {
  const list = (keys: string): string => `
SELECT ${headColumns("r")} FROM (${keys}) r WHERE ${ON_PRIMARY} ORDER BY run_key DESC LIMIT $3`;
  const newest = (values: Readonly<Record<string, string>>): string =>
    newestRuns(runs, { owner_id: "$1", ...values }, "$2", "$3");
  // Each status is read newest first from the index, and then the newest of all.
  const live = (values: Readonly<Record<string, string>>, from: number): string =>
    listedStatuses("live")
      .map((_, at) => newest({ ...values, run_status: `$${from + at}` }))
      .join(" UNION ALL ");
  const topic = { topic: "$4" };
  return {
    listDue: dueStatement(runs),
    listRuns: list(newest({})),
    listStatus: list(newest({ run_status: "$4" })),
    listLive: list(live({}, 4)),
    listTopic: list(newest(topic)),
    listTopicStatus: list(newest({ ...topic, run_status: "$5" })),
    listTopicLive: list(live(topic, 5)),
  };
}

/** Runs of all owners by their due times. $1 what they wait for, $2 for how long, $3 how many. */
function dueStatement(runs: string): string {
  return `
SELECT ${headColumns("r")} FROM ${runs} r WHERE due_kind = $1 AND due_ms <= ${NOW_MS} - $2::bigint AND ${ON_PRIMARY} ORDER BY due_ms LIMIT $3`;
}

/** The heads of runs, from an index for each kind of query. @see clauses S12 and S23 in `STORE.md` */
export async function listRuns(
  query: Query,
  sql: ListStatements,
  asked: OwnerQuery | DueQuery,
): Promise<readonly Head[]> {
  const rows =
    "due" in asked
      ? await query(sql.listDue, [asked.due, asked.forMs, asked.limit])
      : await query(sql[nameOf(asked)], ownerValues(asked));
  return (rows as readonly HeadRow[]).map(headOf);
}

function ownerValues({ ownerId, topic, runStatus, before, limit }: OwnerQuery): unknown[] {
  const subject = topic === null ? [] : [topic];
  const statuses = runStatus === null ? [] : listedStatuses(runStatus);
  return [ownerId, before ?? Number.MAX_SAFE_INTEGER, limit, ...subject, ...statuses];
}

function nameOf({ runStatus, topic }: OwnerQuery): keyof ListStatements {
  if (runStatus === null) return topic === null ? "listRuns" : "listTopic";
  if (runStatus === "live") return topic === null ? "listLive" : "listTopicLive";
  return topic === null ? "listStatus" : "listTopicStatus";
}
