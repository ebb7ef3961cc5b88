import {
  advanceRun,
  type AppendOutcome,
  type AppendRequest,
  judgeAppend,
  type KeptReceipt,
  type NewEvent,
  type RunRecord,
} from "@tm/run-events-core";
import { selectRun } from "./runs.ts";
import type { Statements } from "./statements.ts";

/** What a group of appends did. */
export interface GroupResult {
  readonly outcomes: readonly AppendOutcome[];
  /** The heads that moved, one a run. */
  readonly moved: readonly RunRecord[];
}

/**
 * Appends a group inside an open write transaction. Each head is read once and written once, however many of the requests
 * are for it; a refused request changes nothing and hinders none.
 * @param nowMs the store's clock
 * @see S1-S5
 */
export function appendGroup(
  sql: Statements,
  requests: readonly AppendRequest[],
  nowMs: number,
): GroupResult {
  const heads = new Map<string, RunRecord | null>();
  const moved = new Map<string, RunRecord>();

  function headOf(runId: string): RunRecord | null {
    let head = heads.get(runId);
    if (head === undefined) {
      head = selectRun(sql, runId);
      heads.set(runId, head);
    }
    return head;
  }

  function appendOne(request: AppendRequest): AppendOutcome {
    const { runId, events, idempotencyKey } = request;
    const head = headOf(runId);
    const receipt = head === null ? null : keptReceipt(sql, head.ordinal, idempotencyKey);
    const refusal = judgeAppend(head, receipt, request);
    if (refusal !== null || head === null) return refusal ?? { outcome: "not_found" };
    const { run, landing } = advanceRun(head, request, nowMs);
    insertEvents(sql, run, events, landing.firstSequence);
    if (idempotencyKey !== null) {
      const { firstSequence, lastSequence, phase } = landing;
      sql.insertReceipt.run(run.ordinal, idempotencyKey, firstSequence, lastSequence, phase);
    }
    heads.set(runId, run);
    moved.set(runId, run);
    return { outcome: "appended", ...landing };
  }

  const outcomes = requests.map(appendOne);
  for (const run of moved.values()) {
    const { runStatus, phase, lastSequence, updatedAtMs, finishedAtMs, ordinal } = run;
    sql.updateRun.run(runStatus, phase, lastSequence, updatedAtMs, finishedAtMs, ordinal);
  }
  return { outcomes, moved: [...moved.values()] };
}

function insertEvents(
  sql: Statements,
  run: RunRecord,
  events: readonly NewEvent[],
  firstSequence: number,
): void {
  let sequence = firstSequence;
  for (const { eventType, phase, payload } of events) {
    sql.insertEvent.run(run.ordinal, sequence, eventType, phase, payload, run.updatedAtMs);
    sequence += 1;
  }
}

function keptReceipt(sql: Statements, runKey: number, key: string | null): KeptReceipt | null {
  if (key === null) return null;
  const receipt = sql.selectReceipt.get(runKey, key) as Omit<KeptReceipt, "events"> | undefined;
  if (receipt === undefined) return null;
  const { firstSequence, lastSequence } = receipt;
  const events = sql.selectBatch.all(runKey, firstSequence, lastSequence) as KeptReceipt["events"];
  return { ...receipt, events };
}
