import type { AppendOutcome, AppendRequest } from "../rules/append.ts";
import type { KeptReceipt } from "../rules/judge-append.ts";
import { type AppendPlan, planAppends, type ReceiptRow } from "../rules/plan-appends.ts";
import { type HeadRow, recordOf } from "../rules/plan-lease.ts";
import type { RunRecord } from "../rules/run.ts";
import { after, type Answer, inTurn } from "./answers.ts";
import { cutRows } from "./cut-rows.ts";
import type { RowMoves, RowWork } from "./row-moves.ts";
import type { ExpiredQuery, ListQuery } from "./store.ts";

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
  const { ordinal, idempotencyKey, firstSequence, lastSequence, phase, runStatus } = receipt;
  const since = firstSequence - 1;
  const page = { since, limit: lastSequence - since, maxBytes: Number.MAX_SAFE_INTEGER };
  return after(rows.selectEvents(ordinal, page), (events) => [
    nameOf(ordinal, idempotencyKey),
    { firstSequence, lastSequence, phase, runStatus, events },
  ]);
}

/** The runs whose leases have expired. `plain`. @see clause S23 in `STORE.md` */
export function expiredWork({ graceMs, limit }: ExpiredQuery): RowWork<readonly string[]> {
  return (rows) =>
    after(rows.now(), (nowMs) => rows.selectDue("leaseExpiresAtMs", nowMs - graceMs, limit));
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
