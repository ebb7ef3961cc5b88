import type { RunStatus } from "@tm/run-events-core";
import type { RunRecord } from "@tm/run-events-core/store";

/** A bigint column: pg gives it as text, PGlite as a number. */
export type BigintColumn = string | number;

/** A run's row as the drivers give it. */
export interface RunRow {
  readonly runId: string;
  readonly ownerId: string;
  readonly runStatus: RunStatus;
  readonly phase: string | null;
  readonly lastSequence: BigintColumn;
  readonly ordinal: BigintColumn;
  readonly createdAtMs: BigintColumn;
  readonly updatedAtMs: BigintColumn;
  readonly finishedAtMs: BigintColumn | null;
  readonly metadata: string;
  readonly fence: BigintColumn;
  readonly leaseExpiresAtMs: BigintColumn | null;
}

/** A row as core's record, with nothing else that the row may have. */
export function runOf(row: RunRow): RunRecord {
  const { runId, ownerId, runStatus, phase, metadata } = row;
  return {
    runId,
    ownerId,
    runStatus,
    phase,
    lastSequence: Number(row.lastSequence),
    ordinal: Number(row.ordinal),
    createdAtMs: Number(row.createdAtMs),
    updatedAtMs: Number(row.updatedAtMs),
    finishedAtMs: row.finishedAtMs === null ? null : Number(row.finishedAtMs),
    metadata,
    fence: Number(row.fence),
    leaseExpiresAtMs: row.leaseExpiresAtMs === null ? null : Number(row.leaseExpiresAtMs),
  };
}
