import {
  createPageCut,
  type ReadQuery,
  type ReadResult,
  type RunRecord,
  type StoredEvent,
} from "@tm/run-events-core";
import { selectRun } from "./runs.ts";
import type { Statements } from "./statements.ts";

interface EventRow extends StoredEvent {
  readonly payloadBytes: number;
}

/** Reads a run's head and a page of its events, inside a transaction that holds both still. @see S9, S12 */
export function readPage(sql: Statements, query: ReadQuery): ReadResult | null {
  const { runId, ownerId, since, limit, maxBytes } = query;
  const run = selectRun(sql, runId);
  if (run === null || (ownerId !== null && ownerId !== run.ownerId)) return null;
  const belongs = createPageCut(limit, maxBytes);
  const events: StoredEvent[] = [];
  if (since < run.lastSequence) {
    for (const event of sql.selectEvents.iterate(run.ordinal, since, limit) as Iterable<EventRow>) {
      const { sequence, eventType, payload, createdAtMs, payloadBytes } = event;
      // Leaving the loop resets the statement, so that it holds no snapshot past the transaction.
      if (!belongs(payloadBytes)) break;
      events.push({ sequence, eventType, payload, createdAtMs });
    }
  }
  return { run, phaseAtSince: phaseAt(sql, run, since), events };
}

function phaseAt(sql: Statements, run: RunRecord, since: number): string | null {
  if (run.phase === null || since === 0) return null;
  if (since >= run.lastSequence) return run.phase;
  const row = sql.selectPhase.get(run.ordinal, since) as { readonly phase: string } | undefined;
  return row?.phase ?? null;
}
