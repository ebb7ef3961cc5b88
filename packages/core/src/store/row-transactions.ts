import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import type { KeptReceipt } from "../rules/judge-append.ts";
import type { RunState } from "../rules/lifecycle.ts";
import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { Departure } from "../rules/changed.ts";
import { isTerminal } from "../rules/lifecycle.ts";
import { type AppendPlan, planAppends, type ReceiptRow } from "../rules/plan-appends.ts";
import { type HeadRow, recordOf } from "../rules/plan-lease.ts";
import { judgeDelete, planRead } from "../rules/plan-run.ts";
import type { RunRecord } from "../rules/run.ts";
import { statusAt } from "../rules/status-mark.ts";
import { after, type Answer, inTurn, whileTrue } from "./answers.ts";
import { cutRows } from "./cut-rows.ts";
import type { RowMoves, RowWork } from "./row-moves.ts";
import type { DeleteOutcome, ExpiredQuery, ListQuery, PurgeRequest } from "./store.ts";

/** What an append answers, and the heads to notify of. */
export interface AppendResult {
  readonly outcomes: readonly AppendOutcome[];
  /** The heads that moved, one a run. */
  readonly moved: readonly RunRecord[];
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
          return after(savePlan(rows, plan, nowMs), () => ({ outcomes: plan.outcomes, moved }));
        }),
      ),
    );
}

function savePlan(
  rows: RowMoves,
  { events, receipts, moved }: AppendPlan<HeadRow>,
  nowMs: number,
): Answer<void> {
  if (moved.length === 0) return;
  const ended = moved.map((head) => head.after).filter(({ runStatus }) => isTerminal(runStatus));
  const insertEvents = inTurn(cutRows(events), (piece) => rows.insertEvents(piece));
  return after(insertEvents, () =>
    after(
      inTurn(cutRows(receipts), (piece) => rows.insertReceipts(piece)),
      () => after(rows.saveHeads(moved), () => insertDepartures(rows, ended, nowMs)),
    ),
  );
}

/** The most departures of one move. */
const DEPARTURES_AT_ONCE = 100;

/** Keeps departures, after everything else: their lock is the last that a transaction takes. @see clause S29 in `STORE.md` */
function insertDepartures(
  rows: RowMoves,
  departed: readonly RunRecord[],
  nowMs: number,
): Answer<void> {
  const departures = departed.map(({ runId, ownerId, topic }): Departure => ({
    runId,
    ownerId,
    topic,
  }));
  let at = 0;
  return whileTrue(() => {
    const piece = departures.slice(at, at + DEPARTURES_AT_ONCE);
    if (piece.length === 0) return false;
    at += piece.length;
    return after(rows.insertDepartures(piece, nowMs), () => true);
  });
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

/** Reads heads and pages as of one instant. `snapshot`. @see clauses S9, S12 and S30 in `STORE.md` */
export function readWork(queries: readonly ReadQuery[]): RowWork<readonly (ReadResult | null)[]> {
  return (rows) =>
    after(rows.selectHeads(ascending(queries)), (heads) => {
      const byId = new Map(heads.map((head) => [head.runId, head]));
      return inTurn(queries, (query) => readOne(rows, byId.get(query.runId) ?? null, query));
    });
}

function readOne(
  rows: RowMoves,
  head: HeadRow | null,
  query: ReadQuery,
): Answer<ReadResult | null> {
  const plan = planRead(head, query);
  if (head === null || plan === null) return null;
  const { ordinal } = head;
  const { since } = query;
  const run = recordOf(head);
  return after(plan.wantsEvents ? rows.selectEvents(ordinal, query) : [], (events) =>
    after(plan.stateAtSince ?? selectState(rows, ordinal, since), ({ phase, runStatus }) => {
      const page = { run, phaseAtSince: phase, statusAtSince: runStatus, events };
      if (query.withTime !== true) return page;
      return after(
        plan.timeAtSinceMs === undefined ? selectTime(rows, ordinal, since) : plan.timeAtSinceMs,
        (timeAtSinceMs) => ({ ...page, timeAtSinceMs }),
      );
    }),
  );
}

/** The state at a sequence within the log. */
function selectState(rows: RowMoves, ordinal: number, sequence: number): Answer<RunState> {
  return after(rows.selectState(ordinal, sequence), ({ phase, mark }) => ({
    phase,
    runStatus: statusAt(sequence, mark),
  }));
}

/** The time of an event; `null` if it is not there. */
function selectTime(rows: RowMoves, ordinal: number, sequence: number): Answer<number | null> {
  const page = { since: sequence - 1, limit: 1, maxBytes: 1 };
  return after(rows.selectEvents(ordinal, page), ([event]) =>
    event?.sequence === sequence ? event.createdAtMs : null,
  );
}

/** Removes a finished run. `write`. @see clause S17 in `STORE.md` */
export function deleteWork(runId: string, ownerId: string | null): RowWork<DeleteOutcome> {
  return (rows) =>
    after(rows.selectHeads([runId]), ([run = null]): Answer<DeleteOutcome> => {
      const refusal = judgeDelete(run, ownerId);
      if (run === null || refusal !== null) return refusal ?? "not_found";
      return after(rows.now(), (nowMs) =>
        after(rows.deleteRuns([run.ordinal]), () =>
          after(insertDepartures(rows, [run], nowMs), () => "deleted" as const),
        ),
      );
    });
}

/** The runs whose leases have expired. `plain`. @see clause S23 in `STORE.md` */
export function expiredWork({ graceMs, limit }: ExpiredQuery): RowWork<readonly string[]> {
  return (rows) =>
    after(rows.now(), (nowMs) => rows.selectDue("leaseExpiresAtMs", nowMs - graceMs, limit));
}

/** How often in a row all runs that a purge has chosen may be gone, or no longer old, when it has locked them. */
const FRUITLESS_TRIES = 100;

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
    const removed: RunRecord[] = [];
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
          for (const head of piece) {
            removed.push(head);
            eventsLeft -= head.lastSequence;
          }
          if (piece.length === 0) return true;
          return after(rows.deleteRuns(piece.map(({ ordinal }) => ordinal)), () => true);
        });
      });
    }

    return after(rows.now(), (nowMs) =>
      after(
        whileTrue(() => purgePiece(nowMs - finishedForMs)),
        () =>
          after(insertDepartures(rows, removed, nowMs), () => removed.map(({ runId }) => runId)),
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
function ascending(asked: readonly { readonly runId: string }[]): readonly string[] {
  const [one, another] = asked;
  if (one !== undefined && another === undefined) return [one.runId];
  return [...new Set(asked.map(({ runId }) => runId))].sort();
}

function nameOf(ordinal: number, idempotencyKey: string): string {
  return `${ordinal} ${idempotencyKey}`;
}
