import { isTerminal } from "@tm/run-events-core";
import {
  type CreateOutcome,
  type CreateRunRequest,
  type DeleteOutcome,
  INITIAL_STATE,
  type ListQuery,
  type RunRecord,
} from "@tm/run-events-core/store";
import type { Statements } from "./statements.ts";

/** A row as a plain object of the caller's own; node:sqlite makes rows without a prototype. */
function runOf(row: unknown): RunRecord {
  return { ...(row as RunRecord) };
}

/** A run's head, `null` if there is none. */
export function selectRun(sql: Statements, runId: string): RunRecord | null {
  const row = sql.selectRun.get(runId);
  return row === undefined ? null : runOf(row);
}

/** The heads of those of the runs that there are, in one statement: half of what one each takes. */
export function selectRuns(sql: Statements, runIds: Iterable<string>): readonly RunRecord[] {
  return sql.selectRuns.all(JSON.stringify([...runIds])) as RunRecord[];
}

/** Makes a run inside an open write transaction, unless its id is in use. @see S16 */
export function createRun(sql: Statements, request: CreateRunRequest): CreateOutcome {
  const { runId, ownerId, metadata } = request;
  const existing = selectRun(sql, runId);
  if (existing !== null) {
    return existing.ownerId === ownerId
      ? { outcome: "existing", run: existing }
      : { outcome: "taken" };
  }
  const { runStatus, phase } = INITIAL_STATE;
  const nowMs = Date.now();
  const row = sql.insertRun.get(runId, ownerId, runStatus, phase, nowMs, nowMs, metadata);
  return { outcome: "created", run: runOf(row) };
}

/**
 * An owner's runs, newest first, from an index whatever the status. The rows come oldest first, since SQLite goes from a row
 * to the next at once, but to the one before by the whole depth of the tree: 50 rows among 100,000 runs took a third longer.
 * @see S12
 */
export function listRuns(sql: Statements, query: ListQuery): readonly RunRecord[] {
  const { ownerId, runStatus, limit } = query;
  const before = query.before ?? Number.MAX_SAFE_INTEGER;
  const rows =
    runStatus === null
      ? sql.listRuns.all(ownerId, before, limit)
      : sql.listRunsByStatus.all(ownerId, before, runStatus, limit);
  return rows.map(runOf).toReversed();
}

/** Removes a finished run inside an open write transaction; its events and receipts go with it. @see S17 */
export function deleteRun(sql: Statements, runId: string, ownerId: string | null): DeleteOutcome {
  const run = selectRun(sql, runId);
  if (run === null || (ownerId !== null && ownerId !== run.ownerId)) return "not_found";
  if (!isTerminal(run.runStatus)) return "active";
  sql.deleteRun.run(run.ordinal);
  return "deleted";
}
