import {
  advanceRun,
  type AppendOutcome,
  type AppendRequest,
  judgeAppend,
  type KeptReceipt,
  type RunRecord,
} from "@tm/run-events-core/store";
import { createEventRows, type EventRows } from "./event-rows.ts";
import { selectRuns } from "./runs.ts";
import type { Statements } from "./statements.ts";

/** What a group of appends did. */
export interface GroupResult {
  readonly outcomes: readonly AppendOutcome[];
  /** The heads that moved, one a run. */
  readonly moved: readonly RunRecord[];
}

/** A run in a group: its head as it was read, and as the requests have left it. */
interface Place {
  readonly before: RunRecord;
  head: RunRecord;
}

/**
 * Appends a group inside an open write transaction. The heads are read together, and each that moved is written once,
 * however many of the requests are for it; a refused request changes nothing and hinders none.
 * @param nowMs the store's clock
 * @see S1-S5
 */
export function appendGroup(
  sql: Statements,
  requests: readonly AppendRequest[],
  nowMs: number,
): GroupResult {
  const runIds = new Set(requests.map(({ runId }) => runId));
  const places = new Map<string, Place>();
  for (const head of selectRuns(sql, runIds)) places.set(head.runId, { before: head, head });
  const rows = createEventRows(sql);

  function appendOne(request: AppendRequest): AppendOutcome {
    const { runId, events, idempotencyKey } = request;
    const place = places.get(runId);
    if (place === undefined) return { outcome: "not_found" };
    const { head } = place;
    const refusal = judgeAppend(
      head,
      keptReceipt(sql, rows, head.ordinal, idempotencyKey),
      request,
      nowMs,
    );
    if (refusal !== null) return refusal;
    const { run, landing } = advanceRun(head, request, nowMs);
    rows.add(run, events, landing.firstSequence);
    if (idempotencyKey !== null) {
      const { firstSequence, lastSequence, phase } = landing;
      sql.insertReceipt.run(run.ordinal, idempotencyKey, firstSequence, lastSequence, phase);
    }
    place.head = run;
    return { outcome: "appended", ...landing };
  }

  const outcomes = requests.map(appendOne);
  rows.write();
  const moved: RunRecord[] = [];
  for (const { before, head } of places.values()) {
    if (head === before) continue;
    updateHead(sql, before, head);
    moved.push(head);
  }
  return { outcomes, moved };
}

/** Writes what has changed of a head; most appends change no column that is in an index, and leave the indexes alone. */
function updateHead(sql: Statements, before: RunRecord, head: RunRecord): void {
  const { runStatus, phase, lastSequence, updatedAtMs, finishedAtMs, ordinal } = head;
  const { fence, leaseExpiresAtMs } = head;
  if (fence !== before.fence || leaseExpiresAtMs !== before.leaseExpiresAtMs) {
    sql.setLease.run(fence, leaseExpiresAtMs, ordinal);
  }
  if (runStatus === before.runStatus && phase === before.phase) {
    sql.advanceRun.run(lastSequence, updatedAtMs, ordinal);
  } else {
    sql.updateRun.run(runStatus, phase, lastSequence, updatedAtMs, finishedAtMs, ordinal);
  }
}

function keptReceipt(
  sql: Statements,
  rows: EventRows,
  runKey: number,
  key: string | null,
): KeptReceipt | null {
  if (key === null) return null;
  const receipt = sql.selectReceipt.get(runKey, key) as Omit<KeptReceipt, "events"> | undefined;
  if (receipt === undefined) return null;
  const { firstSequence, lastSequence } = receipt;
  // They may be this group's own.
  rows.write();
  const events = sql.selectBatch.all(runKey, firstSequence, lastSequence) as KeptReceipt["events"];
  return { ...receipt, events };
}
