import type { RunStatus } from "@tm/run-events-core";
import { type Change, listedStatuses, type NewEvent, type Seen } from "@tm/run-events-core/store";
import type { Query } from "../query.ts";
import type { Tables } from "../tables.ts";
import type { Statements } from "../statements.ts";
import {
  type BigintColumn,
  headColumns,
  type HeadRow,
  headOf,
  NOW_MS,
  ON_PRIMARY,
} from "./columns.ts";
import { newestRuns } from "./newest.ts";

/** Separates keys. */
const KEY_SEPARATOR = "\x1e";

/**
 * Sees runs for decisions. $1-$5 are columns: owner, id, whether with metadata, topic, keys as one text. A run that does not exist gets an
 * ordinal, in case it is created.
 * @param condition what else has to hold
 */
export function seeStatement(tables: Tables, condition = "true"): string {
  const { runs, ordinals } = tables;
  return `
SELECT q.at, ${NOW_MS} AS "nowMs", ${headColumns("r")}, CASE WHEN q.metadata THEN r.metadata END AS metadata,
  CASE WHEN r.run_key IS NULL THEN nextval('${ordinals}') END AS fresh,
  CASE WHEN q.topic IS NOT NULL THEN ${holderOf(tables, "q.owner_id", "q.topic")} END AS holder,
  CASE WHEN q.keys IS NOT NULL THEN ${receipts(tables)} END AS receipts
FROM unnest($1::text[], $2::text[], $3::boolean[], $4::text[], $5::text[]) WITH ORDINALITY AS q (owner_id, run_id, metadata, topic, keys, at)
LEFT JOIN ${runs} r ON r.owner_id = q.owner_id AND r.run_id = q.run_id
WHERE ${ON_PRIMARY} AND ${condition}
ORDER BY q.at`;
}

/** SQL: the id of the newest live run of a topic. Each status is read from the index by itself. */
export function holderOf({ runs }: Tables, ownerId: string, topic: string): string {
  const live = listedStatuses("live").map((status) =>
    newestRuns(
      runs,
      { owner_id: ownerId, topic, run_status: `'${status}'` },
      String(Number.MAX_SAFE_INTEGER),
      "1",
    ),
  );
  return `(SELECT run_id FROM (${live.join(" UNION ALL ")}) l ORDER BY run_key DESC LIMIT 1)`;
}

/**
 * SQL: the receipts of keys, as JSON. It takes the first key at or after the requested one: with a comparison of rows the planner uses the
 * index of the keys, and would otherwise scan the run.
 */
function receipts({ events }: Tables): string {
  const its = `SELECT json_agg(json_build_object('eventType', b.event_type, 'payload', b.payload) ORDER BY b.sequence) FROM ${events} b
      WHERE b.run_key = k.run_key AND b.sequence > k.sequence - k.key_events AND b.sequence <= k.sequence`;
  return `(SELECT json_agg(json_build_object('key', k.idempotency_key, 'last', k.sequence, 'count', k.key_events,
      'runStatus', k.key_status, 'phase', k.key_phase, 'events', (${its})))::text
    FROM unnest(string_to_array(q.keys, chr(${KEY_SEPARATOR.charCodeAt(0)}))) AS w (key), LATERAL (
      SELECT * FROM ${events} e WHERE (e.run_key, e.idempotency_key) >= (r.run_key, w.key) AND e.idempotency_key IS NOT NULL
      ORDER BY e.run_key, e.idempotency_key LIMIT 1
    ) k WHERE k.run_key = r.run_key AND k.idempotency_key = w.key)`;
}

/** Where the run does not exist, all columns of the head are null. */
type SeenRow = { readonly nowMs: BigintColumn; readonly holder: string | null } & {
  readonly receipts: string | null;
} & (
    | (HeadRow & { readonly fresh: null })
    | { readonly ordinal: null; readonly fresh: BigintColumn }
  );

interface ReceiptJson {
  readonly key: string;
  readonly last: number;
  readonly count: number;
  readonly runStatus: RunStatus;
  readonly phase: string | null;
  readonly events: readonly Pick<NewEvent, "eventType" | "payload">[];
}

/** Sees runs for decisions, in their order. @param more further parameters of the statement */
export async function seeRuns(
  query: Query,
  sql: Pick<Statements, "see">,
  changes: readonly Change<unknown>[],
  more: readonly unknown[] = [],
): Promise<readonly Seen[]> {
  const rows = (await query(sql.see, [
    changes.map(({ ownerId }) => ownerId),
    changes.map(({ runId }) => runId),
    changes.map(({ wantsMetadata = false }) => wantsMetadata),
    changes.map(({ topic = null }) => topic),
    changes.map(({ keys = [] }) => (keys.length === 0 ? null : keys.join(KEY_SEPARATOR))),
    ...more,
  ])) as readonly SeenRow[];
  return rows.map((row, at) => {
    const head = row.ordinal === null ? null : headOf(row);
    const ownerId = changes[at]?.ownerId ?? "";
    return {
      head,
      receipts: receiptsOf(row.receipts),
      holder: row.holder === null ? null : { ownerId, runId: row.holder },
      nowMs: Number(row.nowMs),
      ordinal: head?.ordinal ?? Number(row.fresh),
    };
  });
}

function receiptsOf(json: string | null): Seen["receipts"] {
  const kept = json === null ? [] : (JSON.parse(json) as readonly ReceiptJson[]);
  return new Map(
    kept.map(({ key, last, count, runStatus, phase, events }) => [
      key,
      { firstSequence: last - count + 1, lastSequence: last, runStatus, phase, events },
    ]),
  );
}
