import type { EventDraft } from "@tm/run-events-core";
import {
  appenderOf,
  type AppendOutcome,
  type AppendRequest,
  isRunId,
  MAX_BATCH_EVENTS,
  MAX_PAYLOAD_BYTES,
  ownerIdOf,
  parseExpectedSequence,
  parseIdempotencyKey,
  planEvents,
  runNotFound,
} from "@tm/run-events-core/store";
import { appendGroup, type MovedRuns } from "./append.ts";
import type { PostgresQueryable } from "./driver.ts";
import { type Query, queryOf } from "./query.ts";
import type { Statements } from "./statements.ts";

/** An append into the caller's own transaction. */
export interface JoinedAppend {
  /** The connection that the transaction is open on. */
  readonly client: PostgresQueryable;
  readonly runId: string;
  /** 1 to 1,000, as `planEvents` takes them. */
  readonly events: readonly EventDraft[];
  /** Treats runs of other owners as missing. Without it every run may be written; `undefined` is a TypeError. */
  readonly ownerId?: string;
  /** 1 to 128 printable ASCII characters. */
  readonly idempotencyKey?: string;
  /** Refuse unless the run's `lastSequence` is this: an integer, 0 or more. */
  readonly expectedSequence?: number;
  /** The fence of the lease that the caller has; without it a claimed run takes nothing. @see S22 */
  readonly fence?: number;
}

const LIMITS = { maxBatchEvents: MAX_BATCH_EVENTS, maxPayloadBytes: MAX_PAYLOAD_BYTES };

/**
 * Checks an append as core does with others.
 * @throws RunEventsError as `planEvents`, `parseIdempotencyKey`, `parseExpectedSequence`, `appenderOf`; `not_found` for what is no
 * run id. TypeError as `ownerIdOf`.
 */
export function planJoined(append: JoinedAppend): AppendRequest {
  const { runId, events, idempotencyKey, expectedSequence, fence } = append;
  const ownerId = ownerIdOf(append);
  if (!isRunId(runId)) throw runNotFound();
  return {
    ...planEvents(events, LIMITS),
    runId,
    ownerId,
    idempotencyKey: idempotencyKey === undefined ? null : parseIdempotencyKey(idempotencyKey),
    expectedSequence: parseExpectedSequence(expectedSequence),
    appender: appenderOf(fence),
  };
}

/**
 * Appends inside the transaction that is open on the client. The statement stands between savepoints, since a key that has
 * landed before fails it, and a failed statement ends a transaction for anything but going back.
 * Throws what the driver throws.
 * @param moved takes the run if the append lands
 */
export async function joinTransaction(
  client: PostgresQueryable,
  sql: Statements,
  request: AppendRequest,
  moved: MovedRuns,
): Promise<AppendOutcome | undefined> {
  const query = queryOf(client);
  const attempt: Query = async (text, values) => {
    await client.query("SAVEPOINT run_events");
    try {
      const rows = await query(text, values);
      await client.query("RELEASE SAVEPOINT run_events");
      return rows;
    } catch (error) {
      await client.query("ROLLBACK TO SAVEPOINT run_events");
      await client.query("RELEASE SAVEPOINT run_events");
      throw error;
    }
  };
  const [outcome] = await appendGroup(query, attempt, sql, [{ place: 0, request }], moved);
  return outcome;
}
