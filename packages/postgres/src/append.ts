import { RunEventsError } from "@tm/run-events-core";
import {
  type AppendRequest,
  type Indexed,
  type AppendOutcome,
  judgeAppend,
  type KeptReceipt,
  type ReadQuery,
  type RunRecord,
} from "@tm/run-events-core/store";
import { isKeyTaken, storeFailure } from "./failure.ts";
import { planStatementBatch, type RunAppend, statesOf } from "./plan-statement-batch.ts";
import type { MovedRun } from "./run-changes.ts";
import type { Query } from "./query.ts";
import type { LandedRow } from "./sql/append-columns.ts";
import { encodeEach, isEventEach } from "./sql/append-each.ts";
import { encodeAppend } from "./sql/append-to-one.ts";
import { encodeAppends } from "./sql/append.ts";
import { runOf } from "./sql/columns.ts";
import { readPages } from "./sql/read.ts";
import type { ReceiptRow } from "./sql/receipts.ts";
import type { Statements } from "./sql/statements.ts";

/** The runs that a group of appends has moved, by their ids. */
export type MovedRuns = Map<string, MovedRun>;

/** How often in a row a group may neither land nor be refused, since others' appends changed the runs each time. */
const FRUITLESS_ATTEMPTS = 100;

/**
 * Appends a group: one statement for all requests that can go together, mostly all of them. A second statement judges only
 * those that did not land. It sees its own instant: a run's requests see one head there, and none of them has landed. A request
 * that nothing refuses any more, as after the release of a lease, is sent again.
 * @param attempt runs the appending statement; if that fails, a transaction around it stays as it was
 * @param moved receives the runs that were appended to, even of a group that fails later
 * @returns the outcomes, at the indexes of their requests
 * @see clauses S1 to S5 in `STORE.md`
 */
export async function appendGroup(
  query: Query,
  attempt: Query,
  sql: Statements,
  group: readonly Indexed<AppendRequest>[],
  moved: MovedRuns,
): Promise<readonly AppendOutcome[]> {
  const outcomes: AppendOutcome[] = [];
  try {
    await settle(query, attempt, sql, group, outcomes, moved);
  } catch (error) {
    // The caller receives no outcome at all, so the appends that have landed are in doubt.
    throw moved.size === 0 ? error : storeFailure(error, true);
  }
  return outcomes;
}

/**
 * Sends one statement batch after another until each request has an outcome. A batch of many runs waits for no lock: it skips
 * the runs that another transaction holds. Each of these then waits by itself. So no run waits, or stays locked, for
 * another run's lock.
 */
async function settle(
  query: Query,
  attempt: Query,
  sql: Statements,
  group: readonly Indexed<AppendRequest>[],
  outcomes: AppendOutcome[],
  moved: MovedRuns,
): Promise<void> {
  let pending = group;
  let fruitless = 0;
  while (pending.length > 0) {
    // Requests that have no sequences left together may each have some alone.
    const most = fruitless === 0 ? pending.length : 1;
    const { appends, rest } = planStatementBatch(pending.slice(0, most));
    const later = [...rest, ...pending.slice(most)];
    const rows = await sendStatementBatch(attempt, sql, appends);
    const refused = new Map(appends.map((append) => [append.runId, append]));
    for (const row of rows ?? []) {
      const append = appends[Number(row.at) - 1];
      if (append === undefined) continue;
      refused.delete(append.runId);
      moved.set(append.runId, keepLandings(outcomes, append, row));
    }
    const again = await judgeRefused(query, sql, [...refused.values()], outcomes);
    fruitless = again.length + later.length < pending.length ? 0 : fruitless + 1;
    if (fruitless === FRUITLESS_ATTEMPTS) {
      throw new RunEventsError(
        "store_unavailable",
        `Other appends changed the run during each of ${FRUITLESS_ATTEMPTS} attempts. Try again.`,
      );
    }
    // The requests after one that is sent again are for the same run, or were never sent: the order stays.
    pending = [...again, ...later];
    if (rows !== null && appends.length > 1 && again.length > 0) {
      const alone = [...Map.groupBy(pending, ({ request }) => request.runId).values()];
      await allOf(alone.map((ofRun) => settle(query, attempt, sql, ofRun, outcomes, moved)));
      return;
    }
  }
}

/** Waits for all, even after a failure, so that none continues unseen. Throws the first failure. */
async function allOf(tasks: readonly Promise<void>[]): Promise<void> {
  for (const settled of await Promise.allSettled(tasks))
    if (settled.status === "rejected") throw settled.reason;
}

/** The runs that were appended to; `null` if a key has landed before, which rolls back the whole statement. */
async function sendStatementBatch(
  attempt: Query,
  sql: Statements,
  appends: readonly RunAppend[],
): Promise<readonly LandedRow[] | null> {
  try {
    return (await attempt(...statementFor(sql, appends))) as readonly LandedRow[];
  } catch (error) {
    if (isKeyTaken(error)) return null;
    throw error;
  }
}

function statementFor(sql: Statements, appends: readonly RunAppend[]): [string, unknown[]] {
  const [one, another] = appends;
  if (one !== undefined && another === undefined) return [sql.appendToOne, encodeAppend(one)];
  return isEventEach(appends)
    ? [sql.appendEach, encodeEach(appends)]
    : [sql.append, encodeAppends(appends)];
}

/** Records where a run's requests landed. */
function keepLandings(outcomes: AppendOutcome[], append: RunAppend, row: LandedRow): MovedRun {
  let lastSequence = Number(row.base);
  const states = statesOf(append.requests);
  append.requests.forEach(({ index, request: { events } }, at) => {
    const firstSequence = lastSequence + 1;
    lastSequence += events.length;
    const runStatus = states[at]?.runStatus ?? row.runStatus;
    const phase = states[at]?.phase ?? row.phase;
    outcomes[index] = { outcome: "appended", firstSequence, lastSequence, runStatus, phase };
  });
  const { runId } = append;
  return { runId, ownerId: row.ownerId, ordinal: Number(row.ordinal), lastSequence };
}

/**
 * Finds out why requests did not land.
 * @returns the requests that nothing refuses any more, and those after them, in their order
 */
async function judgeRefused(
  query: Query,
  sql: Statements,
  refused: readonly RunAppend[],
  outcomes: AppendOutcome[],
): Promise<readonly Indexed<AppendRequest>[]> {
  const refusedRequests = refused.flatMap(({ requests }) => requests);
  if (refusedRequests.length === 0) return [];
  const kept = await selectReceipts(query, sql, refusedRequests);
  const again: Indexed<AppendRequest>[] = [];
  const waiting = new Set<string>();
  refusedRequests.forEach(({ index, request }, at) => {
    const { run, receipt, nowMs } = kept[at] ?? { run: null, receipt: null, nowMs: 0 };
    // After a request that is sent again, only a key's receipt is certain. A refusal may come from a run that was deleted and
    // created again a moment ago.
    const isOpen = receipt === null && waiting.has(request.runId);
    const outcome = isOpen ? null : judgeAppend(run, receipt, request, nowMs);
    if (outcome !== null) outcomes[index] = outcome;
    else {
      waiting.add(request.runId);
      again.push({ index, request });
    }
  });
  return again;
}

interface Kept {
  readonly run: RunRecord;
  readonly receipt: KeptReceipt | null;
  readonly nowMs: number;
}

/** The heads of the requests' runs, and the receipts of their keys; `null` where the run does not exist. */
async function selectReceipts(
  query: Query,
  sql: Statements,
  requests: readonly Indexed<AppendRequest>[],
): Promise<readonly (Kept | null)[]> {
  const rows = (await query(sql.selectReceipts, [
    requests.map(({ request }) => request.runId),
    requests.map(({ request }) => request.idempotencyKey),
  ])) as readonly ReceiptRow[];
  const keyed = rows.filter((row) => row.keySequence !== null);
  const pages = keyed.length === 0 ? [] : await readPages(query, sql, keyed.map(batchQuery));
  const kept: (Kept | null)[] = requests.map(() => null);
  for (const row of rows) kept[Number(row.at) - 1] = keptOf(row, null);
  keyed.forEach((row, index) => {
    const page = pages[index] ?? null;
    // Another ordinal is another run: the requested one was deleted.
    if (page?.run.ordinal !== Number(row.ordinal)) {
      kept[Number(row.at) - 1] = null;
      return;
    }
    const { events } = page;
    const [firstSequence, lastSequence] = batchRange(row);
    const { keyStatus: runStatus, keyPhase: phase } = row;
    const receipt: KeptReceipt = { firstSequence, lastSequence, phase, runStatus, events };
    kept[Number(row.at) - 1] = keptOf(row, receipt);
  });
  return kept;
}

function keptOf(row: ReceiptRow, receipt: KeptReceipt | null): Kept {
  return { run: runOf(row), receipt, nowMs: Number(row.nowMs) };
}

function batchRange(row: ReceiptRow): readonly [first: number, last: number] {
  const lastSequence = Number(row.keySequence);
  return [lastSequence - Number(row.keyEvents) + 1, lastSequence];
}

function batchQuery(row: ReceiptRow): ReadQuery {
  const [firstSequence] = batchRange(row);
  return {
    runId: row.runId,
    ownerId: null,
    since: firstSequence - 1,
    limit: Number(row.keyEvents),
    maxBytes: Number.MAX_SAFE_INTEGER,
  };
}
