import { RunEventsError } from "@tm/run-events-core";
import {
  type AppendRequest,
  type Indexed,
  type AppendOutcome,
  judgeAppend,
  type KeptReceipt,
  type ReadQuery,
  type RunPosition,
  type RunRecord,
} from "@tm/run-events-core/store";
import { isKeyTaken, storeFailure } from "./failure.ts";
import { planWave, type RunAppend } from "./plan-wave.ts";
import type { Query } from "./query.ts";
import type { LandedRow } from "./sql/append-columns.ts";
import { encodeEach, isEventEach } from "./sql/append-each.ts";
import { encodeAppend } from "./sql/append-to-one.ts";
import { encodeWave } from "./sql/append.ts";
import { runOf } from "./sql/columns.ts";
import { readPages } from "./sql/read.ts";
import type { ReceiptRow } from "./sql/receipts.ts";
import type { Statements } from "./sql/statements.ts";

/** The runs that a group of appends has moved, by their ids. */
export type MovedRuns = Map<string, RunPosition>;

/** How often in a row a group may neither land nor be refused: each time others' appends have changed what it met. */
const FRUITLESS_WAVES = 100;

/**
 * Appends a group: one statement for all that can go together, mostly everything. Only what did not land is judged in a
 * second one, as of its own instant: a run's requests see one head there, and none of them has landed. What nothing refuses
 * any more, as once a lease has been given back, is sent again.
 * @param attempt runs the appending statement, which may fail and leaves a transaction around it as it was
 * @param moved takes what lands, also of a group that fails later
 * @returns the outcomes by the places of their requests
 * @see S1-S5
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
    // The caller learns of no outcome at all, so those that have landed are in doubt.
    throw moved.size === 0 ? error : storeFailure(error, true);
  }
  return outcomes;
}

/**
 * Sends wave after wave until all is settled. A wave of many runs waits for nobody: it skips the runs that another
 * transaction holds. Each of these then waits by itself, so that no run is kept waiting, nor kept locked, for another one's
 * lock.
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
    const { appends, rest } = planWave(pending);
    const rows = await sendWave(attempt, sql, appends);
    const refused = new Map(appends.map((append) => [append.runId, append]));
    for (const row of rows ?? []) {
      const append = appends[Number(row.at) - 1];
      if (append === undefined) continue;
      refused.delete(append.runId);
      moved.set(append.runId, keepLandings(outcomes, append, row));
    }
    const again = await judgeRefused(query, sql, [...refused.values()], outcomes);
    fruitless = again.length + rest.length < pending.length ? 0 : fruitless + 1;
    if (fruitless === FRUITLESS_WAVES) {
      throw new RunEventsError("store_unavailable", "The append met others' at every try.");
    }
    // Those behind a request that goes out again are for the same run, or were never sent: the order stays.
    pending = [...again, ...rest];
    if (rows !== null && appends.length > 1 && again.length > 0) {
      const alone = [...Map.groupBy(pending, ({ request }) => request.runId).values()];
      await allOf(alone.map((ofRun) => settle(query, attempt, sql, ofRun, outcomes, moved)));
      return;
    }
  }
}

/** Waits for all, also if one fails, so that none goes on unseen. Throws the first failure. */
async function allOf(tasks: readonly Promise<void>[]): Promise<void> {
  for (const settled of await Promise.allSettled(tasks))
    if (settled.status === "rejected") throw settled.reason;
}

/** The runs that were appended to; `null` if one of the keys has landed before, which undoes the whole statement. */
async function sendWave(
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
    : [sql.append, encodeWave(appends)];
}

/** Where a run's requests landed, by their places. */
function keepLandings(outcomes: AppendOutcome[], append: RunAppend, row: LandedRow): RunPosition {
  let lastSequence = Number(row.base);
  // Unless the first of them starts a phase, none does.
  let { phase } = row;
  for (const { index, request } of append.requests) {
    const { events, runStatus } = request;
    const firstSequence = lastSequence + 1;
    lastSequence += events.length;
    phase = events.findLast((event) => event.phase !== null)?.phase ?? phase;
    outcomes[index] = { outcome: "appended", firstSequence, lastSequence, runStatus, phase };
  }
  return { runId: append.runId, ordinal: Number(row.ordinal), lastSequence };
}

/**
 * Says why requests did not land.
 * @returns those that nothing speaks against any more, and those behind them, in their order
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
    // Behind one that goes out again, only what a key has landed as is certain by now: what looks refused may be so since the
    // run was made anew a moment ago.
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

/** The heads of the requests' runs, and what their keys stand for; `null` where there is no run. */
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
    // Another ordinal is another run: the one that was asked about is gone.
    if (page?.run.ordinal !== Number(row.ordinal)) {
      kept[Number(row.at) - 1] = null;
      return;
    }
    const { events } = page;
    const [firstSequence, lastSequence] = batchRange(row);
    const receipt: KeptReceipt = { firstSequence, lastSequence, phase: row.keyPhase, events };
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
