import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import type { LeaseOutcome } from "../rules/claims.ts";
import type { CreateOutcome, CreateRunRequest } from "../rules/creation.ts";
import { RunEventsError } from "../rules/errors.ts";
import type { KeptReceipt } from "../rules/judge-append.ts";
import { type AppendPlan, planAppends, type ReceiptRow } from "../rules/plan-appends.ts";
import {
  claimRule,
  type HeadRow,
  type LeasePlan,
  type LeaseRule,
  recordOf,
} from "../rules/plan-lease.ts";
import {
  claimOfCreate,
  judgeCreate,
  judgeDelete,
  newRun,
  outcomeOfClaim,
  placeQuery,
  topicBusy,
} from "../rules/plan-run.ts";
import type { RunRecord } from "../rules/run.ts";
import { statusAt } from "../rules/status-mark.ts";
import { after, type Answer, inTurn, whileTrue } from "./answers.ts";
import { cutRows } from "./cut-rows.ts";
import type { RowMoves, RowWork } from "./row-moves.ts";
import type { DeleteOutcome, ExpiredQuery, ListQuery, PurgeRequest } from "./store.ts";

/** How often in a row a run may be neither created nor found, since others create and remove it in between. */
const FRUITLESS_TRIES = 100;

/** What an append answers, and the heads to notify of. */
export interface AppendResult {
  readonly outcomes: readonly AppendOutcome[];
  /** The heads that moved, one a run. */
  readonly moved: readonly RunRecord[];
}

/** Creates a run unless its id is in use, and claims it if asked to. `write`. @see clauses S16, S25 and S26 in `STORE.md` */
export function createWork(request: CreateRunRequest): RowWork<CreateOutcome> {
  const claim = claimOfCreate(request);
  const place = placeQuery(request);

  function tryOnce(rows: RowMoves, tries: number): Answer<CreateOutcome> {
    if (tries === FRUITLESS_TRIES) {
      throw new RunEventsError(
        "store_unavailable",
        "Expected the run to be created or found, but its id was in use at every try, and no row of it was seen. Check what hides rows from this user.",
      );
    }
    return after(rows.selectHeads([request.runId]), ([existing = null]) => {
      const judged = judgeCreate(existing, request);
      if (judged?.outcome === "existing" && claim !== null) {
        return after(leaseRow(rows, existing, claimRule(claim)), outcomeOfClaim);
      }
      if (judged !== null) return judged;
      return after(rows.now(), (nowMs) =>
        after(place === null ? [] : rows.selectOwned(place), ([holder]) =>
          holder === undefined ? insertOnce(rows, tries, nowMs) : topicBusy(holder),
        ),
      );
    });
  }
  function insertOnce(rows: RowMoves, tries: number, nowMs: number): Answer<CreateOutcome> {
    const run = newRun(request, nowMs);
    return after(rows.insertRun(run, place !== null), (ordinal): Answer<CreateOutcome> => {
      if (ordinal === null) return tryOnce(rows, tries + 1);
      const made = { ...run, ordinal };
      if (claim === null) return { outcome: "created", run: made };
      const head = { ...made, keptClaim: null };
      return after(saveLease(rows, head, claimRule(claim)(head, nowMs)), (outcome) => ({
        outcome: "created",
        run: outcome.outcome === "granted" ? outcome.run : made,
      }));
    });
  }

  return (rows) => tryOnce(rows, 0);
}

/**
 * Appends the requests of one call: locks heads, reads the clock and receipts, plans, writes rows. `write`.
 * @see clauses S1 to S5 in `STORE.md`
 */
export function appendWork(requests: readonly AppendRequest[]): RowWork<AppendResult> {
  return (rows) =>
    after(rows.selectHeads(ascending(requests)), (heads) =>
      after(rows.now(), (nowMs) =>
        after(selectKept(rows, heads, requests), (kept) => {
          const receiptOf = ({ ordinal }: HeadRow, key: string): KeptReceipt | null =>
            kept.get(nameOf(ordinal, key)) ?? null;
          const plan = planAppends(heads, receiptOf, requests, nowMs);
          const moved = plan.moved.map((head) => head.after);
          return after(savePlan(rows, plan), () => ({ outcomes: plan.outcomes, moved }));
        }),
      ),
    );
}

function savePlan(rows: RowMoves, { events, receipts, moved }: AppendPlan<HeadRow>): Answer<void> {
  if (moved.length === 0) return;
  const insertEvents = inTurn(cutRows(events), (piece) => rows.insertEvents(piece));
  return after(insertEvents, () =>
    after(
      inTurn(cutRows(receipts), (piece) => rows.insertReceipts(piece)),
      () => rows.saveHeads(moved),
    ),
  );
}

const NOTHING_KEPT: ReadonlyMap<string, KeptReceipt> = new Map();

/** The receipts that the requests' keys have before this call, by `nameOf`. */
function selectKept(
  rows: RowMoves,
  heads: readonly HeadRow[],
  requests: readonly AppendRequest[],
): Answer<ReadonlyMap<string, KeptReceipt>> {
  if (requests.every(({ idempotencyKey }) => idempotencyKey === null)) return NOTHING_KEPT;
  const asked = new Map<string, Pick<ReceiptRow, "ordinal" | "idempotencyKey">>();
  const ordinals = new Map(heads.map(({ runId, ordinal }) => [runId, ordinal]));
  for (const { runId, idempotencyKey } of requests) {
    const ordinal = ordinals.get(runId);
    if (ordinal === undefined || idempotencyKey === null) continue;
    asked.set(nameOf(ordinal, idempotencyKey), { ordinal, idempotencyKey });
  }
  if (asked.size === 0) return NOTHING_KEPT;
  return after(rows.selectReceipts([...asked.values()]), (receipts) =>
    after(
      inTurn(receipts, (receipt) => keptOf(rows, receipt)),
      (kept) => new Map(kept),
    ),
  );
}

/** A receipt's name, and the receipt with its events. */
function keptOf(rows: RowMoves, receipt: ReceiptRow): Answer<[string, KeptReceipt]> {
  const { ordinal, idempotencyKey, firstSequence, lastSequence, phase } = receipt;
  const since = firstSequence - 1;
  const page = { since, limit: lastSequence - since, maxBytes: Number.MAX_SAFE_INTEGER };
  return after(rows.selectEvents(ordinal, page), (events) =>
    after(rows.selectState(ordinal, lastSequence), ({ mark }) => {
      const runStatus = statusAt(lastSequence, mark);
      return [
        nameOf(ordinal, idempotencyKey),
        { firstSequence, lastSequence, phase, runStatus, events },
      ];
    }),
  );
}

/** Removes a finished run. `write`. @see clause S17 in `STORE.md` */
export function deleteWork(runId: string, ownerId: string | null): RowWork<DeleteOutcome> {
  return (rows) =>
    after(rows.selectHeads([runId]), ([run = null]): Answer<DeleteOutcome> => {
      const refusal = judgeDelete(run, ownerId);
      if (run === null || refusal !== null) return refusal ?? "not_found";
      return after(rows.deleteRuns([run.ordinal]), () => "deleted" as const);
    });
}

/** A claim, a renewal or a release: locks the head, asks the rule, saves the head. `write`. @see clause S21 in `STORE.md` */
export function leaseWork(runId: string, rule: LeaseRule): RowWork<LeaseOutcome> {
  return (rows) =>
    after(rows.selectHeads([runId]), ([before = null]) => leaseRow(rows, before, rule));
}

/** Asks the rule about a locked head, and saves the head. */
function leaseRow(rows: RowMoves, head: HeadRow | null, rule: LeaseRule): Answer<LeaseOutcome> {
  return after(rows.now(), (nowMs) => saveLease(rows, head, rule(head, nowMs)));
}

function saveLease(
  rows: RowMoves,
  before: HeadRow | null,
  { outcome, after: saved }: LeasePlan,
): Answer<LeaseOutcome> {
  if (before === null || saved === null) return outcome;
  return after(rows.saveHeads([{ before, after: saved }]), () => outcome);
}

/** The runs whose leases have expired. `plain`. @see clause S23 in `STORE.md` */
export function expiredWork({ graceMs, limit }: ExpiredQuery): RowWork<readonly string[]> {
  return (rows) =>
    after(rows.now(), (nowMs) => rows.selectDue("leaseExpiresAtMs", nowMs - graceMs, limit));
}

/** How many heads a purge locks and reads together: a head may be large. */
const PURGE_PIECE = 100;

/**
 * Removes the runs that finished first. They are chosen without a lock, and then locked in the same order as by appends. A run that
 * another purge has removed meanwhile is left out. `write`.
 * @param mostEvents a call ends with the run that reaches so many events, since other calls wait for it
 * @see clause S24 in `STORE.md`
 */
export function purgeWork(
  { finishedForMs, limit }: PurgeRequest,
  mostEvents: number,
): RowWork<readonly string[]> {
  return (rows) => {
    const removed: string[] = [];
    let eventsLeft = mostEvents;
    let fruitless = 0;

    function purgePiece(untilMs: number): Answer<boolean> {
      const most = Math.min(limit - removed.length, PURGE_PIECE);
      if (most === 0 || eventsLeft <= 0 || fruitless === FRUITLESS_TRIES) return false;
      return after(rows.selectDue("finishedAtMs", untilMs, most), (runIds) => {
        if (runIds.length === 0) return false;
        return after(rows.selectHeads(runIds.toSorted()), (heads) => {
          const piece = firstOf(runIds, heads, untilMs, eventsLeft);
          fruitless = piece.length === 0 ? fruitless + 1 : 0;
          for (const { runId, lastSequence } of piece) {
            removed.push(runId);
            eventsLeft -= lastSequence;
          }
          if (piece.length === 0) return true;
          return after(rows.deleteRuns(piece.map(({ ordinal }) => ordinal)), () => true);
        });
      });
    }

    return after(rows.now(), (nowMs) =>
      after(
        whileTrue(() => purgePiece(nowMs - finishedForMs)),
        () => removed,
      ),
    );
  };
}

/** The heads that are still old, in the order of the ids, up to the one that reaches so many events. */
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
  return (rows) =>
    after(rows.selectHeads([runId]), ([head]) => (head === undefined ? null : recordOf(head)));
}

/** An owner's runs. `plain`. @see clause S12 in `STORE.md` */
export function listWork(query: ListQuery): RowWork<readonly RunRecord[]> {
  return (rows) => after(rows.selectOwned(query), (heads) => heads.map(recordOf));
}

/** Writes as an append does, and answers the time. `write`. @see clause S31 in `STORE.md` */
export const probeWork: RowWork<number> = (rows) => after(rows.writeProbe(), () => rows.now());

/** The ids of the runs, each once, ascending, so that all calls take locks in the same order. */
export function ascending(asked: readonly { readonly runId: string }[]): readonly string[] {
  const [one, another] = asked;
  if (one !== undefined && another === undefined) return [one.runId];
  return [...new Set(asked.map(({ runId }) => runId))].sort();
}

function nameOf(ordinal: number, idempotencyKey: string): string {
  return `${ordinal} ${idempotencyKey}`;
}
