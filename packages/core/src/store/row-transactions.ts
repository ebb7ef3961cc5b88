import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import type { LeaseOutcome } from "../rules/claims.ts";
import { RunEventsError } from "../rules/errors.ts";
import type { KeptReceipt } from "../rules/judge-append.ts";
import type { ReadQuery, ReadResult } from "../rules/page.ts";
import { type AppendPlan, planAppends, type ReceiptRow } from "../rules/plan-appends.ts";
import { type HeadRow, type LeaseRule, recordOf } from "../rules/plan-lease.ts";
import { judgeCreate, judgeDelete, newRun, planRead } from "../rules/plan-run.ts";
import type { CreateOutcome, CreateRunRequest, RunRecord } from "../rules/run.ts";
import { move, type RowMoves, rowWork, type RowWork, type Steps } from "./row-moves.ts";
import type { DeleteOutcome, ExpiredQuery, ListQuery, PurgeRequest } from "./store.ts";

/** How often in a row a run may neither be made nor be found: others make and remove it in between. */
const FRUITLESS_LOOKS = 100;

/** What an append leaves to be notified of. */
export interface AppendResult {
  readonly outcomes: readonly AppendOutcome[];
  /** The heads that moved, one a run. */
  readonly moved: readonly RunRecord[];
}

/** Makes a run unless its id is in use. `write`. @see S16 */
export function createWork(request: CreateRunRequest): RowWork<CreateOutcome> {
  return rowWork(function* (rows) {
    for (let look = 0; look < FRUITLESS_LOOKS; look++) {
      const [existing = null] = yield* move(rows.selectHeads([request.runId]));
      const refusal = judgeCreate(existing, request);
      if (refusal !== null) return refusal;
      const run = newRun(request, yield* move(rows.now()));
      const ordinal = yield* move(rows.insertRun(run));
      if (ordinal !== null) return { outcome: "created", run: { ...run, ordinal } };
    }
    throw new RunEventsError(
      "store_unavailable",
      "Expected the run to be created or found, but its id was in use at every try, and no row of it was seen. Check what hides rows from this user.",
    );
  });
}

/** Appends the requests of one call: locks, clock, receipts, plan, rows. `write`. @see S1-S5 */
export function appendWork(requests: readonly AppendRequest[]): RowWork<AppendResult> {
  return rowWork(function* (rows) {
    const heads = yield* move(rows.selectHeads(ascending(requests)));
    const nowMs = yield* move(rows.now());
    const kept = yield* selectKept(rows, heads, requests);
    const plan = planAppends(
      heads,
      ({ ordinal }, key) => kept.get(nameOf(ordinal, key)) ?? null,
      requests,
      nowMs,
    );
    yield* savePlan(rows, plan);
    return { outcomes: plan.outcomes, moved: plan.moved.map(({ after }) => after) };
  });
}

function* savePlan(rows: RowMoves, plan: AppendPlan<HeadRow>): Steps<void> {
  if (plan.events.length > 0) yield* move(rows.insertEvents(plan.events));
  if (plan.receipts.length > 0) yield* move(rows.insertReceipts(plan.receipts));
  if (plan.moved.length > 0) yield* move(rows.saveHeads(plan.moved));
}

/** What the requests' keys stand for before this call, by `nameOf`. */
function* selectKept(
  rows: RowMoves,
  heads: readonly HeadRow[],
  requests: readonly AppendRequest[],
): Steps<ReadonlyMap<string, KeptReceipt>> {
  const kept = new Map<string, KeptReceipt>();
  const asked = new Map<string, Pick<ReceiptRow, "ordinal" | "idempotencyKey">>();
  const ordinals = new Map(heads.map(({ runId, ordinal }) => [runId, ordinal]));
  for (const { runId, idempotencyKey } of requests) {
    const ordinal = ordinals.get(runId);
    if (ordinal === undefined || idempotencyKey === null) continue;
    asked.set(nameOf(ordinal, idempotencyKey), { ordinal, idempotencyKey });
  }
  if (asked.size === 0) return kept;
  for (const receipt of yield* move(rows.selectReceipts([...asked.values()]))) {
    const { ordinal, idempotencyKey, firstSequence, lastSequence, phase } = receipt;
    const since = firstSequence - 1;
    const limit = lastSequence - since;
    const page = { since, limit, maxBytes: Number.MAX_SAFE_INTEGER };
    const events = yield* move(rows.selectEvents(ordinal, page));
    kept.set(nameOf(ordinal, idempotencyKey), { firstSequence, lastSequence, phase, events });
  }
  return kept;
}

/** Reads heads and pages as of one instant. `snapshot`. @see S9, S12 */
export function readWork(queries: readonly ReadQuery[]): RowWork<readonly (ReadResult | null)[]> {
  return rowWork(function* (rows) {
    const heads = yield* move(rows.selectHeads(ascending(queries)));
    const byId = new Map(heads.map((head) => [head.runId, head]));
    const results: (ReadResult | null)[] = [];
    for (const query of queries) {
      const head = byId.get(query.runId) ?? null;
      results.push(head === null ? null : yield* readOne(rows, head, query));
    }
    return results;
  });
}

function* readOne(rows: RowMoves, head: HeadRow, query: ReadQuery): Steps<ReadResult | null> {
  const plan = planRead(head, query);
  if (plan === null) return null;
  const { wantsEvents } = plan;
  const events = wantsEvents ? yield* move(rows.selectEvents(head.ordinal, query)) : [];
  const phaseAtSince =
    plan.phaseAtSince === undefined
      ? yield* move(rows.selectPhase(head.ordinal, query.since))
      : plan.phaseAtSince;
  return { run: recordOf(head), phaseAtSince, events };
}

/** Removes a finished run. `write`. @see S17 */
export function deleteWork(runId: string, ownerId: string | null): RowWork<DeleteOutcome> {
  return rowWork(function* (rows) {
    const [run = null] = yield* move(rows.selectHeads([runId]));
    const refusal = judgeDelete(run, ownerId);
    if (run === null || refusal !== null) return refusal ?? "not_found";
    yield* move(rows.deleteRuns([run.ordinal]));
    return "deleted";
  });
}

/** A claim, a renewal or a release: locks the head, asks the rule, saves the head. `write`. @see S21 */
export function leaseWork(runId: string, rule: LeaseRule): RowWork<LeaseOutcome> {
  return rowWork(function* (rows) {
    const [before = null] = yield* move(rows.selectHeads([runId]));
    const { outcome, after } = rule(before, yield* move(rows.now()));
    if (before !== null && after !== null) yield* move(rows.saveHeads([{ before, after }]));
    return outcome;
  });
}

/** The runs whose leases ran out. `plain`. @see S23 */
export function expiredWork({ graceMs, limit }: ExpiredQuery): RowWork<readonly string[]> {
  return rowWork(function* (rows) {
    const nowMs = yield* move(rows.now());
    return yield* move(rows.selectDue("leaseExpiresAtMs", nowMs - graceMs, limit));
  });
}

/** How many heads a purge locks and looks at together: a head may be large. */
const PURGE_PIECE = 100;

/**
 * Removes the runs that finished first. They are chosen without a lock and then locked as appends lock them; what another purge has removed
 * meanwhile is not chosen again. `write`.
 * @param mostEvents the run with which a call reaches so many events is its last, since others wait for all of it
 * @see S24
 */
export function purgeWork(
  { finishedForMs, limit }: PurgeRequest,
  mostEvents: number,
): RowWork<readonly string[]> {
  return rowWork(function* (rows) {
    const untilMs = (yield* move(rows.now())) - finishedForMs;
    const gone: string[] = [];
    let events = 0;
    let fruitless = 0;
    while (gone.length < limit && events < mostEvents && fruitless < FRUITLESS_LOOKS) {
      const most = Math.min(limit - gone.length, PURGE_PIECE);
      const runIds = yield* move(rows.selectDue("finishedAtMs", untilMs, most));
      if (runIds.length === 0) return gone;
      const heads = yield* move(rows.selectHeads(runIds.toSorted()));
      const piece = firstOf(runIds, heads, untilMs, mostEvents - events);
      if (piece.length === 0) fruitless += 1;
      else yield* move(rows.deleteRuns(piece.map(({ ordinal }) => ordinal)));
      gone.push(...piece.map(({ runId }) => runId));
      for (const { lastSequence } of piece) events += lastSequence;
    }
    return gone;
  });
}

/** Those of the heads that are still old, in the order of the ids, up to the one that reaches so many events. */
function firstOf(
  runIds: readonly string[],
  heads: readonly RunRecord[],
  untilMs: number,
  mostEvents: number,
): readonly RunRecord[] {
  const byId = new Map(heads.map((head) => [head.runId, head]));
  const first: RunRecord[] = [];
  let events = 0;
  for (const runId of runIds) {
    const head = byId.get(runId);
    if (head === undefined || head.finishedAtMs === null || head.finishedAtMs > untilMs) continue;
    if (events >= mostEvents) break;
    first.push(head);
    events += head.lastSequence;
  }
  return first;
}

/** A run's head. `plain`. */
export function getWork(runId: string): RowWork<RunRecord | null> {
  return rowWork(function* (rows) {
    const [head] = yield* move(rows.selectHeads([runId]));
    return head === undefined ? null : recordOf(head);
  });
}

/** An owner's runs. `plain`. @see S12 */
export function listWork(query: ListQuery): RowWork<readonly RunRecord[]> {
  return rowWork(function* (rows) {
    return (yield* move(rows.selectOwned(query))).map(recordOf);
  });
}

/** Writes as an append does, and answers the time. `write`. @see S31 */
export const probeWork: RowWork<number> = rowWork(function* (rows) {
  yield* move(rows.writeProbe());
  return yield* move(rows.now());
});

/** The ids of the runs, each once, ascending: so that two calls take locks in the same order. */
function ascending(asked: readonly { readonly runId: string }[]): readonly string[] {
  return [...new Set(asked.map(({ runId }) => runId))].sort();
}

function nameOf(ordinal: number, idempotencyKey: string): string {
  return `${ordinal} ${idempotencyKey}`;
}
